"""Kimi K2: a section of calls between tokens; a call's id is its name and a number, and stands for the name.

K2 Thinking opens its thought itself, and its template has no switch.
"""

from antiphon.render.families.syntax import CallSyntax, Family, JsonArguments, ThoughtSyntax

FAMILY = Family(
    name="kimi-k2",
    syntax=CallSyntax(
        triggers=("<|tool_calls_section_begin|>",),
        section_open="<|tool_calls_section_begin|>",
        call_open="<|tool_call_begin|>functions.",
        lenient_opens=("<|tool_call_begin|> functions.",),
        after_name=":{index}<|tool_call_argument_begin|>",
        lenient_after_names=(":{index} <|tool_call_argument_begin|>", "<|tool_call_argument_begin|>"),
        arguments=JsonArguments(),
        call_close="<|tool_call_end|>",
        section_close="<|tool_calls_section_end|>",
        control=frozenset(
            {
                "<|tool_calls_section_begin|>",
                "<|tool_call_begin|>",
                "<|tool_call_argument_begin|>",
                "<|tool_call_end|>",
                "<|tool_calls_section_end|>",
            }
        ),
    ),
    detect=("<|tool_calls_section_begin|>", "<|tool_call_argument_begin|>"),
    definitions="template",
    history="fields",
    sources=(
        "MoonshotAI/Kimi-K2 docs/tool_call_guidance.md",
        "ggml-org/llama.cpp models/templates/moonshotai-Kimi-K2.jinja",
        "ggml-org/llama.cpp models/templates/Kimi-K2-Thinking.jinja",
    ),
    call_ids="numbered",
    reasoning=(("<think>", "</think>"),),
    thought=ThoughtSyntax("<think>", "</think>"),
)
