"""Granite 3: a JSON list of calls after one token. Granite 4 writes Hermes calls.

The published template renders no calls of earlier turns, so they are told as text. Granite 3.3 has a `thinking`
switch, which changes the template's own system prompt; it then writes its answer between `<response>` tags.
"""

from antiphon.render.families.syntax import CallSyntax, Family, JsonArguments, ThoughtSyntax

FAMILY = Family(
    name="granite-3",
    syntax=CallSyntax(
        triggers=("<|tool_call|>", "<tool_call>"),
        section_open="<|tool_call|>[",
        call_open='{"name": "',
        after_name='", "arguments": ',
        arguments=JsonArguments(),
        call_close="}",
        between=", ",
        section_close="]",
        control=frozenset({"<|tool_call|>"}),
    ),
    detect=("<|tool_call|>", "<|start_of_role|>"),
    definitions="template",
    history="text",
    sources=(
        "ggml-org/llama.cpp models/templates/ibm-granite-granite-3.3-2B-Instruct.jinja",
        "vllm-project/vllm vllm/tool_parsers/granite_tool_parser.py",
    ),
    reasoning=(("<think>", "</think>"),),
    thought=ThoughtSyntax("<think>", "</think>", frame=("<response>", "</response>"), told="inline"),
)
