"""FunctionGemma and Gemma 4: `call:NAME{key:value,…}` with bare keys and strings between two quoting tokens.

Gemma 4 thinks in a channel of its own where `enable_thinking` is true, which its system turn says too.

Gemma 3 has no call format of its own and gets the universal family.
"""

from antiphon.render.families.syntax import CallSyntax, Family, QuotedArguments, ThoughtSyntax

_FUNCTION = Family(
    name="functiongemma",
    syntax=CallSyntax(
        triggers=("<start_function_call>",),
        call_open="<start_function_call>call:",
        after_name="",
        arguments=QuotedArguments(quote="<escape>"),
        call_close="<end_function_call>",
        control=frozenset({"<start_function_call>", "<end_function_call>", "<escape>"}),
    ),
    detect=("<start_function_call>call:", "<escape>"),
    definitions="template",
    history="fields",
    sources=("https://ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices",),
)

_FOURTH = Family(
    name="gemma4",
    syntax=CallSyntax(
        triggers=("<|tool_call>",),
        call_open="<|tool_call>call:",
        after_name="",
        arguments=QuotedArguments(quote='<|"|>'),
        call_close="<tool_call|>",
        control=frozenset({"<|tool_call>", "<tool_call|>", '<|"|>', "<|channel>", "<channel|>"}),
    ),
    detect=("<|tool_call>call:", '<|"|>'),
    definitions="template",
    history="fields",
    sources=("ggml-org/llama.cpp models/templates/google-gemma-4-31B-it.jinja",),
    reasoning=(("<|channel>thought\n", "<channel|>"),),
    thought=ThoughtSyntax("<|channel>thought\n", "<channel|>", "\n"),
)

FAMILIES = (_FUNCTION, _FOURTH)
