"""MiniMax M2: a section of `<invoke>` elements with one `<parameter>` element an argument.

It always reasons: the template opens the thought and has no switch.
"""

from antiphon.render.families.syntax import TAGGED_THOUGHT, CallSyntax, Family, TaggedArguments

FAMILY = Family(
    name="minimax-m2",
    syntax=CallSyntax(
        triggers=("<minimax:tool_call>",),
        section_open="<minimax:tool_call>\n",
        call_open='<invoke name="',
        lenient_opens=("<invoke name=",),
        after_name='">\n',
        lenient_after_names=(">",),
        arguments=TaggedArguments(open='<parameter name="', after_name='">', close="</parameter>\n"),
        call_close="</invoke>\n",
        section_close="</minimax:tool_call>",
    ),
    detect=("<minimax:tool_call>", "<invoke name="),
    definitions="template",
    history="fields",
    sources=(
        "MiniMaxAI/MiniMax-M2 docs/tool_calling_guide.md",
        "ggml-org/llama.cpp models/templates/MiniMax-M2.jinja",
    ),
    reasoning=(("<think>", "</think>"),),
    thought=TAGGED_THOUGHT,
)
