"""Llama 3.1, 3.2 and 3.3: the whole reply is one JSON object, with or without the python tag before it.

Without the tag nothing but its place tells a call from text, so it counts as one only at the reply's beginning. The
published template takes one call a message.
"""

from antiphon.render.families.syntax import CallSyntax, Family, JsonArguments

FAMILY = Family(
    name="llama3",
    syntax=CallSyntax(
        triggers=("<|python_tag|>",),
        first_triggers=('{"name": "', '{"name":"', '{"type": "function", "name": "'),
        call_open='{"name": "',
        lenient_opens=(
            '{"name":"',
            '<|python_tag|>{"name": "',
            '{"type": "function", "name": "',
            '<|python_tag|>{"type": "function", "name": "',
        ),
        after_name='", "parameters": ',
        lenient_after_names=('", "arguments": ',),
        arguments=JsonArguments(),
        call_close="}",
        between="; ",
        control=frozenset({"<|python_tag|>"}),
    ),
    detect=("<|start_header_id|>ipython<|end_header_id|>", '"parameters": '),
    definitions="template",
    history="fields",
    sources=(
        "ggml-org/llama.cpp models/templates/meta-llama-Llama-3.1-8B-Instruct.jinja",
        "ggml-org/llama.cpp models/templates/meta-llama-Llama-3.2-3B-Instruct.jinja",
        "ggml-org/llama.cpp models/templates/meta-llama-Llama-3.3-70B-Instruct.jinja",
        "https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1/#json-based-tool-calling",
    ),
)
