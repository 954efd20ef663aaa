"""gpt-oss: the Harmony format, where every message has a channel and a call is a message to `functions.NAME`.

A thought is a message of the analysis channel. There is no switch for it, only `reasoning_effort`: low, medium, high.

The recipient may stand in the channel's part of the header or in the role's. `<|call|>` ends the model's turn, so an
engine may stop there without showing it.
"""

from antiphon.render.families.syntax import CallSyntax, Family, JsonArguments, ThoughtSyntax

FAMILY = Family(
    name="gpt-oss",
    syntax=CallSyntax(
        triggers=(
            "<|channel|>commentary to=functions.",
            "<|channel|>analysis to=functions.",
            "<|start|>assistant to=functions.",
        ),
        first_triggers=(" to=functions.",),
        call_open="<|channel|>commentary to=functions.",
        lenient_opens=("<|channel|>analysis to=functions.", "<|start|>assistant to=functions.", " to=functions."),
        after_name=" <|constrain|>json<|message|>",
        lenient_after_names=(
            "<|constrain|> json<|message|>",
            "json<|message|>",
            "code<|message|>",
            "<|message|>",
            "<|channel|>commentary <|constrain|>json<|message|>",
            "<|channel|>commentary json<|message|>",
            "<|channel|>commentary<|message|>",
            "<|channel|>analysis <|constrain|>json<|message|>",
        ),
        arguments=JsonArguments(),
        call_close="<|call|>",
        between="<|start|>assistant",
        control=frozenset(
            {
                "<|start|>",
                "<|end|>",
                "<|message|>",
                "<|channel|>",
                "<|constrain|>",
                "<|call|>",
            }
        ),
    ),
    detect=("<|channel|>analysis<|message|>", "<|channel|>commentary", "functions."),
    definitions="template",
    history="fields",
    sources=(
        "openai/harmony docs/format.md",
        "ggml-org/llama.cpp models/templates/openai-gpt-oss-120b.jinja",
    ),
    reasoning=(("<|channel|>analysis<|message|>", "<|end|>"),),
    hidden=(
        "<|start|>assistant",
        "<|channel|>final<|message|>",
        "<|channel|>final <|constrain|>json<|message|>",
        "<|channel|>commentary<|message|>",
        "<|end|>",
    ),
    thought=ThoughtSyntax("<|channel|>analysis<|message|>", "<|end|>", after="<|start|>assistant"),
    efforts=("low", "medium", "high"),
)
