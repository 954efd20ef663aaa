"""GLM: the name after `<tool_call>`, then keys and values in tags; on lines of their own until 4.6, without since.

All reason unless `enable_thinking` is false.
"""

from antiphon.render.families.syntax import CallSyntax, Family, TaggedArguments, ThoughtSyntax

_LINES = Family(
    name="glm-4.5",
    syntax=CallSyntax(
        triggers=("<tool_call>",),
        call_open="<tool_call>",
        after_name="\n",
        arguments=TaggedArguments(open="<arg_key>", after_name="</arg_key>\n<arg_value>", close="</arg_value>\n"),
        call_close="</tool_call>",
        between="\n",
    ),
    detect=("<tool_call>", "</arg_key>\n<arg_value>"),
    definitions="template",
    history="fields",
    sources=(
        "ggml-org/llama.cpp models/templates/GLM-4.6.jinja",
        "sgl-project/sglang examples/chat_template/tool_and_thinking_chat_template_glm4.5.jinja",
    ),
    reasoning=(("<think>", "</think>"),),
    thought=ThoughtSyntax("\n<think>", "</think>", after="\n"),
)

_COMPACT = Family(
    name="glm-4.7",
    syntax=CallSyntax(
        triggers=("<tool_call>",),
        call_open="<tool_call>",
        after_name="",
        arguments=TaggedArguments(open="<arg_key>", after_name="</arg_key><arg_value>", close="</arg_value>"),
        call_close="</tool_call>",
    ),
    detect=("<tool_call>", "<arg_key>"),
    definitions="template",
    history="fields",
    sources=("ggml-org/llama.cpp models/templates/GLM-4.7-Flash.jinja",),
    reasoning=(("<think>", "</think>"),),
    thought=ThoughtSyntax("<think>", "</think>"),
)

FAMILIES = (_LINES, _COMPACT)
