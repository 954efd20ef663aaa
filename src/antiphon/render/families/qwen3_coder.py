"""Qwen3-Coder: XML-like functions, one parameter after the other; Qwen3.5, Nemotron 3 and Step 3.5 write the same.

The published template writes booleans and null of earlier calls as Python does (`True`, `None`), so such models may
write them too.
"""

from antiphon.render.families.syntax import TAGGED_THOUGHT, CallSyntax, Family, TaggedArguments

FAMILY = Family(
    name="qwen3-coder",
    syntax=CallSyntax(
        triggers=("<tool_call>", "<function="),
        call_open="<tool_call>\n<function=",
        lenient_opens=("<function=",),
        after_name=">\n",
        arguments=TaggedArguments(open="<parameter=", after_name=">\n", close="\n</parameter>\n"),
        call_close="</function>\n</tool_call>",
        lenient_closes=("</function>",),
        between="\n",
    ),
    detect=("<function=", "<parameter=", "</tool_call>"),
    definitions="template",
    history="fields",
    sources=(
        "ggml-org/llama.cpp models/templates/Qwen3-Coder.jinja",
        "ggml-org/llama.cpp models/templates/Qwen3.5-4B.jinja",
        "vllm-project/vllm examples/tool_chat_template_qwen3coder.jinja",
    ),
    reasoning=(("<think>", "</think>"),),
    thought=TAGGED_THOUGHT,
)
