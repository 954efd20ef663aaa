"""Hermes and Qwen: a JSON object between `<tool_call>` tags, one pair of tags a call. Granite 4 writes the same.

Qwen3 reasons unless `enable_thinking` is false; its thinking-2507 and QwQ always do, and their templates open the
thought themselves. Hermes, Qwen 2.5 and Granite 4 do not reason by nature: their templates know no thought.
"""

from antiphon.render.families.syntax import TAGGED_THOUGHT, CallSyntax, Family, JsonArguments

FAMILY = Family(
    name="hermes",
    syntax=CallSyntax(
        triggers=("<tool_call>",),
        call_open='<tool_call>\n{"name": "',
        after_name='", "arguments": ',
        lenient_after_names=('", "parameters": ',),
        arguments=JsonArguments(),
        call_close="}\n</tool_call>",
        between="\n",
    ),
    detect=("<tool_call>", "<function-name>"),
    definitions="template",
    history="fields",
    sources=(
        "ggml-org/llama.cpp models/templates/NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja",
        "ggml-org/llama.cpp models/templates/Qwen-Qwen2.5-7B-Instruct.jinja",
        "ggml-org/llama.cpp models/templates/Qwen-Qwen3-0.6B.jinja",
        "ggml-org/llama.cpp models/templates/Qwen-QwQ-32B.jinja",
        "ggml-org/llama.cpp models/templates/ibm-granite-granite-4.0.jinja",
    ),
    reasoning=(("<think>", "</think>"),),
    thought=TAGGED_THOUGHT,
)
