"""Mistral: a JSON list with nine-character ids (tokenizers v2 to v7), or name and arguments behind tokens (from v11).

v11 puts the id between name and arguments, v13 leaves it out; both are read. Magistral and Ministral 3 Reasoning
think between `[THINK]` and `[/THINK]`.
"""

from antiphon.render.families.syntax import CallSyntax, Family, JsonArguments, ThoughtSyntax

_LIST = Family(
    name="mistral-list",
    syntax=CallSyntax(
        triggers=("[TOOL_CALLS]",),
        section_open="[TOOL_CALLS][",
        call_open='{"name": "',
        lenient_opens=('[TOOL_CALLS] [{"name": "',),
        after_name='", "arguments": ',
        arguments=JsonArguments(),
        call_close=', "id": "{id}"}',
        lenient_closes=("}",),
        between=", ",
        section_close="]",
        control=frozenset({"[TOOL_CALLS]"}),
    ),
    detect=("[TOOL_CALLS]",),
    definitions="template",
    history="fields",
    sources=(
        "ggml-org/llama.cpp models/templates/mistralai-Mistral-Nemo-Instruct-2407.jinja",
        "mistralai/mistral-common src/mistral_common/tokens/tokenizers/instruct.py (InstructTokenizerV3)",
        "mistralai/mistral-common tests/data/chat_templates/v3.jinja, v7.jinja",
    ),
    call_ids="nine",
)

_NAMED = Family(
    name="mistral",
    syntax=CallSyntax(
        triggers=("[TOOL_CALLS]",),
        call_open="[TOOL_CALLS]",
        after_name="[ARGS]",
        lenient_after_names=("[CALL_ID]{id}[ARGS]",),
        arguments=JsonArguments(),
        call_close="",
        control=frozenset({"[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]"}),
    ),
    detect=("[TOOL_CALLS]", "[ARGS]"),
    definitions="template",
    history="fields",
    sources=(
        "ggml-org/llama.cpp models/templates/Mistral-Small-3.2-24B-Instruct-2506.jinja",
        "ggml-org/llama.cpp models/templates/unsloth-mistral-Devstral-Small-2507.jinja",
        "mistralai/mistral-common src/mistral_common/guidance/grammar_factory.py",
        "mistralai/mistral-common tests/data/chat_templates/v11.jinja, v13.jinja, v13_think.jinja",
        "ggml-org/llama.cpp models/templates/mistralai-Ministral-3-14B-Reasoning-2512.jinja",
    ),
    call_ids="nine",
    reasoning=(("[THINK]", "[/THINK]"),),
    thought=ThoughtSyntax("[THINK]", "[/THINK]"),
)

FAMILIES = (_NAMED, _LIST)
