"""Two things wrong at once: the earlier rung is the one that is named."""

from itertools import pairwise

import pytest

from tests.request.requests import (
    SEARCH,
    TOOL,
    Json,
    assistant,
    body,
    call,
    image,
    server_call,
    system,
    text,
    thought,
    user,
    verdict,
)

OPUS = "claude-opus-4-8"

FULL = {"cache_control": {"type": "ephemeral"}}

# One mistake a stage, in the order of the stages; each is a change of a request that is otherwise right.
SHAPE: Json = {"temperature": "hot"}

UNKNOWN_KEY: Json = {"surprise": 1}

CHOICE: Json = {"tool_choice": {"type": "tool", "name": "absent"}, "tools": [TOOL]}

CAP: Json = {"max_tokens": 200_000}

THINKING: Json = {"thinking": {"type": "enabled", "budget_tokens": 2048}}

SAMPLING: Json = {"temperature": 0.5}

UNBUILT: Json = {"billing_policy": {"type": "billing_policy"}}

SETTINGS: tuple[tuple[Json, str], ...] = (
    (SHAPE, "temperature: Input should be a valid number"),
    (UNKNOWN_KEY, "surprise: Extra inputs are not permitted"),
    (CHOICE, "Tool 'absent' not found in provided tools"),
    (CAP, f"max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for {OPUS}"),
    (
        THINKING,
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
        '"output_config.effort" to control thinking behavior.',
    ),
    (SAMPLING, "`temperature` is deprecated for this model."),
    (UNBUILT, "billing_policy: billing policies are not supported by this server yet."),
)

BETAS = ("user-profiles-billing-2026-10-01",)


@pytest.mark.promise("errors.first-problem-only")
@pytest.mark.parametrize(("earlier", "later"), list(pairwise(SETTINGS)))
def test_of_two_wrong_settings_the_earlier_stage_is_named(earlier: tuple[Json, str], later: tuple[Json, str]) -> None:
    # Both mistakes are real: each alone is refused in its own words.
    for settings, message in (earlier, later):
        assert verdict({**body(), **settings, "model": OPUS}, *BETAS) == message
    both = {**body(), **later[0], **earlier[0], "model": OPUS}
    assert verdict(both, *BETAS) == earlier[1]


@pytest.mark.promise("errors.first-problem-only")
@pytest.mark.parametrize(
    ("messages", "message"),
    [
        # roles before content
        (
            [user(""), {"role": "x", "content": "a"}],
            'messages: Unexpected role "x". Allowed roles are "user" or "assistant"',
        ),
        (
            [assistant([]), user("")],
            "messages.0: all messages must have non-empty content except for the optional final assistant message",
        ),
        # empty messages before empty texts, empty texts before blank ones
        (
            [user([text("")]), assistant([]), user()],
            "messages.1: all messages must have non-empty content except for the optional final assistant message",
        ),
        ([user(" "), user([text("")])], "messages: text content blocks must be non-empty"),
        # blank text before the whitespace at the end
        ([user(" "), assistant("a ")], "messages: text content blocks must contain non-whitespace text"),
        # content before placement
        ([user([call("toolu_1"), text("")])], "messages: text content blocks must be non-empty"),
        # placement before pairing
        (
            [user(), assistant([call("toolu_1"), image()]), user()],
            "messages.1: `image` blocks can only be in `user` messages",
        ),
        # client tools before server tools
        (
            [user(), assistant([server_call("srvtoolu_1"), call("toolu_1")]), user()],
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
            "`tool_use` block must have a corresponding `tool_result` block in the next message.",
        ),
        # pairing before cache markers
        (
            [user([text(str(n), **FULL) for n in range(5)]), assistant([call("toolu_1")])],
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
            "`tool_use` block must have a corresponding `tool_result` block in the next message.",
        ),
    ],
)
def test_of_two_mistakes_in_a_conversation_the_earlier_rule_s_is_named(messages: list[Json], message: str) -> None:
    assert verdict(body(*messages)) == message


def test_a_system_message_is_judged_by_content_then_blocks_then_place_then_words() -> None:
    place = "messages.0: use the top-level 'system' parameter for the initial system prompt; the directive-only form "
    assert verdict(body(system([]), user())) == "messages.0: system content must contain at least one block"
    foreign = "messages.0: role 'system' supports text, tool_addition, and tool_removal blocks only"
    assert verdict(body(system([image(), text(" ")]), user())) == foreign
    assert str(verdict(body(system(" "), user()))).startswith(place)


def test_cache_markers_are_judged_before_tools() -> None:
    marked = user([text(str(n), **FULL) for n in range(5)])
    message = "A maximum of 4 blocks with cache_control may be provided. Found 5."
    assert verdict(body(marked, tools=[TOOL, TOOL])) == message


def test_the_conversation_is_judged_before_the_model() -> None:
    request = {**body(user(), assistant("a "), max_tokens=200_000), "model": OPUS}
    assert verdict(request) == "messages: final assistant content cannot end with trailing whitespace"
    assert str(verdict({**request, "messages": [user(), assistant("a")]})).startswith("max_tokens: 200000 > 128000")


@pytest.mark.promise("errors.first-problem-only")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        # a budget out of range is a matter of shape, and comes before what the model can do
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1023}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        # the way of thinking comes before the length of the budget, and before temperature and forced calls
        (
            {"thinking": {"type": "enabled", "budget_tokens": 9000}, "max_tokens": 100, "temperature": 0.5},
            '"thinking.type.enabled" is not supported for this model.',
        ),
        (
            {"thinking": {"type": "between_tools"}, "tools": [TOOL], "tool_choice": {"type": "any"}},
            '"thinking.type.between_tools" is not supported for this model.',
        ),
        # on a model with budgets: the budget, then the forced call, then effort, then temperature
        (
            {
                "model": "claude-sonnet-4-5",
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "max_tokens": 2048,
                "tools": [TOOL],
                "tool_choice": {"type": "any"},
            },
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            {
                "model": "claude-sonnet-4-5",
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "tools": [TOOL],
                "tool_choice": {"type": "any"},
                "output_config": {"effort": "low"},
            },
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        (
            {
                "model": "claude-sonnet-4-5",
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "output_config": {"effort": "low"},
                "temperature": 0.5,
            },
            "This model does not support the effort parameter.",
        ),
        # settings come before the thoughts in the conversation
        (
            {
                "model": "claude-sonnet-4-5",
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "messages": [user(), assistant([thought()]), user()],
                "temperature": 0.5,
            },
            "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
        ),
        # in the conversation: the end of a turn, then its beginning
        (
            {
                "model": "claude-sonnet-4-5",
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "messages": [user(), assistant([text("a"), thought()]), user()],
            },
            "messages.1: The final block in an assistant message cannot be `thinking`.",
        ),
        # and the pairing of calls before both
        (
            {
                "model": "claude-sonnet-4-5",
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "messages": [user(), assistant([call("toolu_1"), thought()]), user()],
            },
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
        ),
    ],
)
def test_of_two_mistakes_about_thinking_the_earlier_rule_s_is_named(changes: Json, message: str) -> None:
    assert str(verdict({**body(), "max_tokens": 4096, "model": OPUS, **changes})).startswith(message)


def test_a_container_out_of_place_is_named_before_the_model() -> None:
    request = {**body(container="c", thinking={"type": "between_tools"}, tools=[SEARCH]), "model": OPUS}
    assert str(verdict(request)).startswith("container: Container identifier")


def test_a_wrong_request_is_told_so_before_what_is_not_built() -> None:
    request = {**body(user(), assistant("a"), tools=[TOOL]), "model": OPUS}
    assert str(verdict(request)).startswith("This model does not support assistant message prefill.")
