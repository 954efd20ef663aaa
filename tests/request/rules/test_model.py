"""What each model refuses and takes: the texts, and a table of what passes where."""

from typing import Any

import pytest

from tests.request.requests import (
    CATALOGUE,
    LOCAL,
    SEARCH,
    TOOL,
    Json,
    assistant,
    body,
    call,
    image,
    redacted,
    result,
    search_result,
    server_call,
    system,
    text,
    thought,
    user,
    verdict,
    wrong,
)

INTERLEAVED = "interleaved-thinking-2025-05-14"

TURN_CONFIG = "mid-conversation-output-config-2026-07-01"

BUDGETS = "task-budgets-2026-03-13"

SUMMARIZE = "compact-2026-09-04"

CLEARING = "context-management-2025-06-27"

ENABLED: Json = {"type": "enabled", "budget_tokens": 1024}

ADAPTIVE: Json = {"type": "adaptive"}

DISABLED: Json = {"type": "disabled"}

BETWEEN: Json = {"type": "between_tools"}

FORM: Json = {"format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}}

USE_EFFORT = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'

NO_BUDGET = "`max_tokens` must be greater than `thinking.budget_tokens`."

NO_PREFILL = "This model does not support assistant message prefill. The conversation must end with a user message."

NO_FORCE = 'tool_choice: type "tool" and "any" are not supported for this model.'

NO_FORCED_THOUGHT = "Thinking may not be enabled when tool_choice forces tool use."

NO_EFFORT = "This model does not support the effort parameter."

NO_SYSTEM = "role 'system' is not supported on this model"

NOTHING_TO_CLEAR = "`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive"

CLEARED: Json = {"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}}

FORCED: Json = {"tools": [TOOL], "tool_choice": {"type": "any"}}

MUST_BEGIN = (
    "When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost "
    "set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid "
    "this requirement, disable `thinking`. Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)


def asked(model: str, *messages: Json, **more: Any) -> Json:
    return {**body(*messages, **{"max_tokens": 4096, **more}), "model": model}


def effort(level: str) -> Json:
    return {"output_config": {"effort": level}}


REFUSED: dict[str, tuple[Json, str]] = {
    "more output than the model has": (
        asked("claude-opus-4-5", max_tokens=128_001),
        "max_tokens: 128001 > 64000, which is the maximum allowed number of output tokens for claude-opus-4-5-20251101",
    ),
    "one token more than the model has": (
        asked("claude-opus-4-8", max_tokens=128_001),
        "max_tokens: 128001 > 128000, which is the maximum allowed number of output tokens for claude-opus-4-8",
    ),
    "a budget on 4.8": (
        asked("claude-opus-4-8", thinking=ENABLED),
        f'"thinking.type.enabled" is not supported for this model. {USE_EFFORT}',
    ),
    "a budget on 4.7, larger than max_tokens": (
        asked("claude-opus-4-7", thinking=ENABLED, max_tokens=100),
        f'"thinking.type.enabled" is not supported for this model. {USE_EFFORT}',
    ),
    "no thinking on opus 5.5": (
        asked("claude-opus-5-5", thinking=DISABLED),
        f'"thinking.type.disabled" is not supported for this model. {USE_EFFORT}',
    ),
    "no thinking on fable": (
        asked("claude-fable-5", thinking=DISABLED),
        '"thinking.type.disabled" is not supported for this model. Thinking defaults to adaptive mode when not '
        'specified; use "thinking.type.enabled" with "budget_tokens" for extended thinking.',
    ),
    "no thinking on the mythos preview": (
        asked("claude-mythos-preview", thinking=DISABLED),
        '"thinking.type.disabled" is not supported for this model. Thinking defaults to adaptive mode when not '
        'specified; use "thinking.type.enabled" with "budget_tokens" for extended thinking.',
    ),
    "no thinking on sonnet 5.5": (
        asked("claude-sonnet-5-5", thinking=DISABLED),
        'To turn thinking off on this model, send "thinking": {"type": "between_tools"} instead of {"type": '
        '"disabled"}. The model does not think before responding. The short updates it writes between tool calls come '
        "back as thinking blocks.",
    ),
    "thinking between tools elsewhere": (
        asked("claude-opus-4-8", thinking=BETWEEN),
        '"thinking.type.between_tools" is not supported for this model.',
    ),
    "adaptive thinking on 4.5": (
        asked("claude-sonnet-4-5", thinking=ADAPTIVE),
        "adaptive thinking is not supported on this model",
    ),
    "a budget as large as the reply": (asked("claude-opus-4-5", thinking=ENABLED, max_tokens=1024), NO_BUDGET),
    "a budget larger than the reply": (asked("claude-opus-4-5", thinking=ENABLED, max_tokens=100), NO_BUDGET),
    "a budget on sonnet 5": (
        asked("claude-sonnet-5", thinking=ENABLED),
        f'"thinking.type.enabled" is not supported for this model. {USE_EFFORT}',
    ),
    "adaptive thinking on 3.7": (
        asked("claude-3-7-sonnet-latest", thinking=ADAPTIVE),
        "adaptive thinking is not supported on this model",
    ),
    "thoughts cleared without thinking": (asked(LOCAL, **CLEARED), NOTHING_TO_CLEAR),
    "thoughts cleared with thinking turned off": (
        asked("claude-opus-5", thinking=DISABLED, **CLEARED),
        NOTHING_TO_CLEAR,
    ),
    "a forced call where none can be": (asked("claude-opus-5-5", **FORCED), NO_FORCE),
    "a forced call of a tool where none can be": (
        asked("claude-sonnet-5-5", tools=[TOOL], tool_choice={"type": "tool", "name": "get_time"}),
        NO_FORCE,
    ),
    "a forced call with a budget": (asked("claude-opus-4-6", thinking=ENABLED, **FORCED), NO_FORCED_THOUGHT),
    "effort on sonnet 4.5": (asked("claude-sonnet-4-5", **effort("high")), NO_EFFORT),
    "xhigh effort on opus 4.6": (
        asked("claude-opus-4-6", **effort("xhigh")),
        "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
    ),
    "max effort on opus 4.5": (
        asked("claude-opus-4-5", **effort("max")),
        "This model does not support effort level 'max'. Supported levels: high, low, medium.",
    ),
    "xhigh effort without thinking on opus 5": (
        asked("claude-opus-5", thinking=DISABLED, **effort("xhigh")),
        "output_config.effort 'xhigh' is not supported when thinking is disabled on this model. Use effort 'high' or "
        "below, or enable thinking.",
    ),
    "max effort between tools on sonnet 5.5": (
        asked("claude-sonnet-5-5", thinking=BETWEEN, **effort("max")),
        "output_config.effort 'max' is not supported when thinking is disabled on this model. Use effort 'high' or "
        "below, or enable thinking.",
    ),
    "effort changed without thinking": (
        asked(
            "claude-opus-5", user(), system([], output_config={"effort": "low"}), thinking=DISABLED, **effort("high")
        ),
        "messages.1: output_config.effort 'low' differs from the 'high' in effect before it; effort cannot change when "
        "thinking is disabled on this model. Use effort 'high', or enable thinking.",
    ),
    "effort changed to a level that is not there": (
        asked(LOCAL, user(), system([], output_config={"effort": "extreme"})),
        "messages.1.output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
    ),
    "temperature on 4.8": (
        asked("claude-opus-4-8", temperature=0.5),
        "`temperature` is deprecated for this model.",
    ),
    "top_p on 4.7": (asked("claude-opus-4-7", top_p=0.9), "`top_p` is deprecated for this model."),
    "top_k on opus 5": (asked("claude-opus-5", top_k=5), "`top_k` is deprecated for this model."),
    "temperature and top_p on 4.5": (
        asked("claude-sonnet-4-5", temperature=1, top_p=1),
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    ),
    "temperature with a budget": (
        asked("claude-sonnet-4-5", temperature=0.5, thinking=ENABLED),
        "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
    ),
    "temperature with adaptive thinking": (
        asked("claude-opus-4-6", temperature=0.5, thinking=ADAPTIVE),
        "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
    ),
    "a low top_p with a budget": (
        asked("claude-opus-4-6", top_p=0.94, thinking=ENABLED),
        "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode",
    ),
    "top_k with a budget": (
        asked("claude-opus-4-6", top_k=0, thinking=ENABLED),
        "`top_k` must be unset when thinking is enabled or in adaptive mode",
    ),
    "prefill on 4.6": (asked("claude-opus-4-6", user(), assistant("The answer is (")), NO_PREFILL),
    "prefill on haiku 5.5": (asked("claude-haiku-5-5", user(), assistant([text("a")])), NO_PREFILL),
    "prefill with thinking": (
        asked(LOCAL, user(), assistant("a"), thinking=ADAPTIVE),
        "Assistant message prefill is not supported when thinking is enabled. The conversation must end with a user "
        "message.",
    ),
    "prefill in a form": (
        asked(LOCAL, user(), assistant("a"), output_config=FORM),
        "output_config.format: structured outputs do not support assistant message prefill. The conversation must end "
        "with a user message.",
    ),
    "system role on sonnet 5": (asked("claude-sonnet-5", user(), system()), NO_SYSTEM),
    "system role on 4.5": (asked("claude-haiku-4-5", user(), system()), NO_SYSTEM),
    "a budget, and a call without thought": (
        asked(LOCAL, user(), assistant([call("toolu_1")]), user([result("toolu_1")]), thinking=ENABLED),
        f"messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. {MUST_BEGIN}",
    ),
    "a budget, and a prefill without thought": (
        asked("claude-opus-4-5", user(), assistant("a"), thinking=ENABLED),
        f"messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. {MUST_BEGIN}",
    ),
    "a budget, and a turn of two calls that began without thought": (
        asked(
            LOCAL,
            user(),
            assistant([call("toolu_1")]),
            user([result("toolu_1")]),
            assistant([thought(), call("toolu_2")]),
            user([result("toolu_2")]),
            thinking=ENABLED,
        ),
        f"messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. {MUST_BEGIN}",
    ),
    "thought behind text, with a budget": (
        asked(LOCAL, user(), assistant([text("a"), thought(), text("b")]), user(), thinking=ENABLED),
        "messages.1.content.0: If an assistant message contains any thinking blocks, the first block must be `thinking` "
        "or `redacted_thinking`. Found `text`.",
    ),
    "thought at the end of a message": (
        asked(LOCAL, user(), assistant([text("a"), thought()]), user()),
        "messages.1: The final block in an assistant message cannot be `thinking`.",
    ),
    "redacted thought alone": (
        asked(LOCAL, user(), assistant([redacted()]), user(), thinking=ADAPTIVE),
        "messages.1: The final block in an assistant message cannot be `redacted_thinking`.",
    ),
    "redacted thought behind text, with a budget": (
        asked(LOCAL, user(), assistant([text("a"), redacted(), text("b")]), user(), thinking=ENABLED),
        "messages.1.content.0: If an assistant message contains any thinking blocks, the first block must be `thinking` "
        "or `redacted_thinking`. Found `text`.",
    ),
    "thought at the end of the final message": (
        asked(LOCAL, user(), assistant([thought()]), thinking=ADAPTIVE),
        "messages.1: The final block in an assistant message cannot be `thinking`.",
    ),
    "thought and text in the final place, with thinking": (
        asked(LOCAL, user(), assistant([thought(), text("a")]), thinking=ADAPTIVE),
        "Assistant message prefill is not supported when thinking is enabled. The conversation must end with a user "
        "message.",
    ),
    "thought and text in the final place, with a budget": (
        asked("claude-opus-4-5", user(), assistant([thought(), text("a")]), thinking=ENABLED),
        "Assistant message prefill is not supported when thinking is enabled. The conversation must end with a user "
        "message.",
    ),
    "redacted thought in the final place, thinking off": (
        asked("claude-opus-4-5", user(), assistant([redacted(), text("a")]), thinking=DISABLED),
        "messages.1.content.0: When thinking is disabled, an `assistant` message in the final position cannot contain "
        "`redacted_thinking`. To use thinking blocks, enable `thinking` in your request.",
    ),
    "thought in the final place, thinking off": (
        asked("claude-opus-4-5", user(), assistant([thought(), text("a")]), thinking=DISABLED),
        "messages.1.content.0: When thinking is disabled, an `assistant` message in the final position cannot contain "
        "`thinking`. To use thinking blocks, enable `thinking` in your request.",
    ),
    "thought in the final place, thinking off by default": (
        asked("claude-opus-4-5", user(), assistant([thought(), text("a")])),
        "messages.1.content.0: When thinking is disabled, an `assistant` message in the final position cannot contain "
        "`thinking`. To use thinking blocks, enable `thinking` in your request.",
    ),
    "an old tool on a new model": (
        asked(
            "claude-opus-5-5",
            tools=[{"type": "computer_20251124", "name": "computer", "display_width_px": 1, "display_height_px": 1}],
        ),
        "'claude-opus-5-5' does not support tool types: computer_20251124. Did you mean one of "
        "computer_toolset_20260801?",
    ),
    "a region on 4.5": (
        asked("claude-opus-4-5", inference_geo="us"),
        "inference_geo: this model does not support the inference_geo parameter.",
    ),
    "fast mode on 4.7": (asked("claude-opus-4-7", speed="fast"), "speed: this model does not support speed 'fast'."),
    "a task budget on sonnet 5": (
        asked("claude-sonnet-5", output_config={"task_budget": {"type": "tokens", "total": 20_000}}),
        "output_config.task_budget: this model does not support task budgets.",
    ),
    "compaction on 4.5": (
        asked("claude-sonnet-4-5", compaction={"type": "summarize"}),
        "compaction: this model does not support compaction.",
    ),
    "no output, streamed": (
        asked("claude-opus-4-8", max_tokens=0, stream=True),
        "max_tokens: 0 is not allowed with stream: true",
    ),
    "no output, with a budget": (
        asked("claude-opus-4-5", max_tokens=0, thinking=ENABLED),
        "max_tokens: 0 is not allowed with thinking.type: enabled",
    ),
    "no output, in a form": (
        asked("claude-opus-4-8", max_tokens=0, output_config=FORM),
        "max_tokens: 0 is not allowed with output_config.format",
    ),
    "no output, but a call": (
        asked("claude-opus-4-8", max_tokens=0, **FORCED),
        'max_tokens: 0 is not allowed with tool_choice type "tool" or "any"',
    ),
}

BETAS = (TURN_CONFIG, BUDGETS, SUMMARIZE, CLEARING, "computer-use-2025-11-24")


@pytest.mark.promise("errors.model-rules")
@pytest.mark.parametrize("case", REFUSED)
def test_what_a_model_does_not_do_is_refused_in_the_api_s_words(case: str) -> None:
    request, message = REFUSED[case]
    assert verdict(request, *BETAS) == message


ACCEPTED: dict[str, Json] = {
    "all the output the model has": asked("claude-opus-4-5", max_tokens=64_000),
    "the default temperature on 4.8": asked("claude-opus-4-8", temperature=1, top_p=1, top_k=0),
    "temperature on 4.6": asked("claude-opus-4-6", temperature=0.5, top_p=0.5, top_k=5),
    "temperature on 4.5": asked("claude-sonnet-4-5", temperature=0.5, top_k=5),
    "top_p on 4.5": asked("claude-haiku-4-5", top_p=0.5),
    "temperature and top_p on 3.7": asked("claude-3-7-sonnet-latest", temperature=0.5, top_p=0.5),
    "temperature 1 with a budget": asked("claude-opus-4-5", temperature=1, thinking=ENABLED),
    "a high top_p with a budget": asked("claude-opus-4-5", top_p=0.95, thinking=ENABLED),
    "a budget just below max_tokens": asked("claude-opus-4-5", max_tokens=1025, thinking=ENABLED),
    "a forced call with adaptive thinking": asked("claude-opus-4-6", thinking=ADAPTIVE, **FORCED),
    "a choice that forces nothing": asked("claude-opus-5-5", tools=[TOOL], tool_choice={"type": "auto"}),
    "no effort named": asked("claude-sonnet-4-5", output_config={"effort": None}),
    "high effort without thinking on opus 5": asked("claude-opus-5", thinking=DISABLED, **effort("high")),
    "max effort without thinking on sonnet 5": asked("claude-sonnet-5", thinking=DISABLED, **effort("max")),
    "effort changed with thinking": asked("claude-opus-5", user(), system([], output_config={"effort": "low"})),
    "prefill on 4.5": asked("claude-sonnet-4-5", user(), assistant("The answer is (")),
    "an answer that has not begun, without prefill": asked("claude-opus-4-8", user(), assistant([])),
    "a paused turn without prefill": asked(
        "claude-opus-4-8", user(), assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1")])
    ),
    "a turn paused before its result": asked(
        "claude-opus-4-8", user(), assistant([server_call("srvtoolu_1")]), tools=[SEARCH]
    ),
    "system role on 4.8": asked("claude-opus-4-8", user(), system()),
    "thought in the middle, thinking off": asked(
        "claude-opus-4-5", user(), assistant([thought(), text("a")]), user(), thinking=DISABLED
    ),
    "thought in the final place of a model that thinks by default": asked(
        LOCAL, user(), assistant([thought(), call("toolu_1")]), user([result("toolu_1")]), thinking=ADAPTIVE
    ),
    "thought behind text without a budget": asked(
        LOCAL, user(), assistant([text("a"), thought(), text("b")]), user(), thinking=ADAPTIVE
    ),
    "thought in the first of two calls": asked(
        LOCAL,
        user(),
        assistant([thought(), call("toolu_1")]),
        user([result("toolu_1")]),
        assistant([call("toolu_2")]),
        user([result("toolu_2")]),
        thinking=ENABLED,
    ),
    "thoughts cleared with a budget": asked("claude-opus-4-5", thinking=ENABLED, **CLEARED),
    "thoughts cleared with adaptive thinking": asked("claude-opus-4-8", thinking=ADAPTIVE, **CLEARED),
    "thoughts cleared on a model that thinks by default": asked("claude-opus-5", **CLEARED),
    "thoughts cleared between tools": asked("claude-sonnet-5-5", thinking=BETWEEN, **CLEARED),
    "redacted thought before a call": asked(
        LOCAL, user(), assistant([redacted(), call("toolu_1")]), user([result("toolu_1")]), thinking=ENABLED
    ),
    "a call without thought, without a budget": asked(
        LOCAL, user(), assistant([call("toolu_1")]), user([result("toolu_1")]), thinking=ADAPTIVE
    ),
    "a call without thought, and a user who speaks": asked(
        LOCAL, user(), assistant([call("toolu_1")]), user([result("toolu_1"), text("so?")]), thinking=ENABLED
    ),
    "a format with thinking": asked(LOCAL, thinking=ENABLED, output_config=FORM),
    "no thought in a turn that is over": asked(LOCAL, user(), assistant("a"), user(), thinking=ENABLED),
    "thought, then words in the next message": asked(LOCAL, user(), assistant([thought()]), assistant("a"), user()),
    "a region on 4.6": asked("claude-opus-4-6", inference_geo="us"),
    "fast mode on opus 5": asked("claude-opus-5", speed="fast"),
    "standard speed anywhere": asked("claude-haiku-4-5", speed="standard"),
    "a task budget on opus 5": asked(
        "claude-opus-5", output_config={"task_budget": {"type": "tokens", "total": 20_000}}
    ),
    "no output": asked("claude-opus-4-8", max_tokens=0),
    "no output with adaptive thinking": asked("claude-opus-4-8", max_tokens=0, thinking=ADAPTIVE),
}


@pytest.mark.promise("models.accepted-settings")
@pytest.mark.parametrize("case", ACCEPTED)
def test_what_a_model_does_is_accepted(case: str) -> None:
    assert wrong(ACCEPTED[case], *BETAS) is None


# model: thinking types · effort levels · temperature · prefill · forced call · system role
TABLE = {
    "claude-opus-5-5": ("adaptive", "low medium high xhigh max", 0, 0, 0, 1),
    "claude-opus-4-8": ("adaptive disabled", "low medium high xhigh max", 0, 0, 1, 1),
    "claude-opus-4-6": ("adaptive enabled disabled", "low medium high max", 1, 0, 1, 0),
    "claude-opus-4-5": ("enabled disabled", "low medium high", 1, 1, 1, 0),
    "claude-sonnet-4-5": ("enabled disabled", "", 1, 1, 1, 0),
    "claude-sonnet-5-5": ("adaptive between_tools", "low medium high xhigh max", 0, 0, 0, 1),
    "claude-3-7-sonnet-latest": ("enabled disabled", "", 1, 1, 1, 0),
    LOCAL: ("adaptive enabled disabled", "low medium high xhigh max", 1, 1, 1, 1),
}


@pytest.mark.promise("models.accepted-settings")
@pytest.mark.parametrize("model", TABLE)
def test_every_setting_passes_on_the_models_that_have_it_and_on_no_other(model: str) -> None:
    kinds = {"enabled": ENABLED, "adaptive": ADAPTIVE, "disabled": DISABLED, "between_tools": BETWEEN}
    levels = ("low", "medium", "high", "xhigh", "max")
    passed = (
        {kind for kind, thinking in kinds.items() if wrong(asked(model, thinking=thinking)) is None},
        {level for level in levels if wrong(asked(model, **effort(level))) is None},
        wrong(asked(model, temperature=0.3)) is None,
        wrong(asked(model, user(), assistant("a"))) is None,
        wrong(asked(model, **FORCED)) is None,
        wrong(asked(model, user(), system())) is None,
    )
    thinking, efforts, *flags = TABLE[model]
    assert passed == (set(str(thinking).split()), set(str(efforts).split()), *map(bool, flags))


UPDATES = "thinking-display-updates-2026-08-18"

# the modes of thinking that the API primer names: with a budget, adaptive, off
PRIMER = {
    "claude-opus-4-8": (False, True, True),
    "claude-opus-4-7": (False, True, True),
    "claude-opus-4-6": (True, True, True),
    "claude-opus-4-5-20251101": (True, False, True),
    "claude-sonnet-4-6": (True, True, True),
    "claude-sonnet-4-5-20250929": (True, False, True),
    "claude-haiku-4-5-20251001": (True, False, True),
}


@pytest.mark.promise("thinking.modes")
@pytest.mark.parametrize("model", PRIMER)
def test_a_model_of_the_primer_thinks_in_the_modes_that_it_is_documented_to(model: str) -> None:
    for thinking, accepted in zip((ENABLED, ADAPTIVE, DISABLED), PRIMER[model], strict=True):
        assert (verdict(asked(model, thinking=thinking)) is None) == accepted, thinking
        for display in ("summarized", "omitted") if accepted and thinking is not DISABLED else ():
            assert verdict(asked(model, thinking={**thinking, "display": display})) is None
        if accepted and thinking is not DISABLED:
            assert verdict(asked(model, thinking={**thinking, "display": "updates"}), UPDATES) is None
            assert verdict(asked(model, thinking={**thinking, "display": "updates"})) is not None


@pytest.mark.promise("thinking.tool-choice")
@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5", LOCAL])
def test_with_a_budget_the_choice_of_tools_is_the_model_s_own_or_none(model: str) -> None:
    for choice in ({"type": "any"}, {"type": "tool", "name": "get_time"}):
        assert verdict(asked(model, thinking=ENABLED, tools=[TOOL], tool_choice=choice)) == NO_FORCED_THOUGHT
        assert verdict(asked(model, thinking=DISABLED, tools=[TOOL], tool_choice=choice)) is None
    for choice in ({"type": "auto"}, {"type": "none"}):
        assert verdict(asked(model, thinking=ENABLED, tools=[TOOL], tool_choice=choice)) is None
    assert verdict(asked(model, thinking=ENABLED, tools=[TOOL])) is None


@pytest.mark.promise("thinking.interleaved-budget")
@pytest.mark.parametrize(
    ("model", "accepted"),
    [
        ("claude-opus-4-5", True),
        ("claude-sonnet-4-5", True),
        ("claude-haiku-4-5", True),
        ("claude-opus-4-1", True),
        ("claude-sonnet-4-6", True),
        ("claude-opus-4-6", False),
        ("claude-3-7-sonnet-latest", False),
    ],
)
def test_a_budget_may_exceed_max_tokens_with_tools_and_the_interleaving_header(model: str, accepted: bool) -> None:
    wide = asked(model, max_tokens=500, thinking={**ENABLED, "budget_tokens": 9000}, tools=[TOOL])
    assert wrong(wide, INTERLEAVED) == (None if accepted else NO_BUDGET)
    assert wrong(wide) == NO_BUDGET
    assert wrong({**wide, "tools": []}, INTERLEAVED) == NO_BUDGET


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"thinking": ENABLED}, f'"thinking.type.enabled" is not supported for this model. {USE_EFFORT}'),
        ({"messages": [user(), assistant("a")]}, NO_PREFILL),
        ({"messages": [user([text(" ")])]}, "messages: text content blocks must contain non-whitespace text"),
    ],
)
def test_counting_tokens_refuses_what_creating_refuses(more: Json, message: str) -> None:
    request = asked("claude-opus-4-8", **more)
    del request["max_tokens"]
    assert verdict({**request, **more}) == message


def test_a_forced_call_is_refused_in_counting_too() -> None:
    request = asked("claude-opus-5-5", **FORCED)
    del request["max_tokens"]
    assert verdict(request) == NO_FORCE


def test_a_budget_is_counted_without_max_tokens() -> None:
    request = asked("claude-opus-4-5", thinking=ENABLED)
    del request["max_tokens"]
    assert wrong(request) is None


@pytest.mark.promise("models.alias-rules")
def test_every_profile_answers_a_plain_request() -> None:
    for profile in CATALOGUE.all():
        assert verdict(asked(profile.id)) is None, profile.id
        for alias in profile.aliases:
            assert verdict(asked(alias)) is None, alias


def test_an_image_in_the_last_answer_does_not_confuse_the_prefill_rule() -> None:
    messages = [user([image(), text("what is it?")]), assistant("A cat"), user()]
    assert wrong(asked("claude-opus-4-8", *messages)) is None
