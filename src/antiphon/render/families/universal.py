"""Every model that follows instructions: the documented tool system prompt and the call format that it implies.

Source: How to implement tool use, Tool use system prompt.
"""

from typing import Final

from antiphon.render.families.syntax import CallSyntax, Family, TaggedArguments

UNIVERSAL: Final = Family(
    name="universal",
    syntax=CallSyntax(
        section_open="<function_calls>\n",
        call_open='<invoke name="',
        after_name='">\n',
        arguments=TaggedArguments(open='<parameter name="', after_name='">', close="</parameter>\n"),
        call_close="</invoke>",
        between="\n",
        section_close="\n</function_calls>",
        triggers=("<function_calls>", '<invoke name="'),
        foreign=("<function_results>",),
    ),
    detect=(),
    definitions="system",
    history="text",
    sources=("https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use",),
)
