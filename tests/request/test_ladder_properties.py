"""Random conversations: the ladder answers every one of them once, and a brute-force judge of pairing agrees."""

from itertools import groupby
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from antiphon.request.ladder import RUNGS, Issue
from tests.request.requests import (
    Json,
    assistant,
    body,
    call,
    image,
    issue,
    result,
    search_result,
    server_call,
    system,
    text,
    thought,
    user,
    wrong,
)

IDS = [f"toolu_{letter}" for letter in "abcdef"]


@st.composite
def mended_and_broken(draw: st.DrawFn) -> list[Json]:
    """A conversation whose calls are answered, with a few blocks moved, doubled, dropped or renamed."""
    messages: list[Json] = [user([text("go")])]
    fresh = iter(IDS)
    for _ in range(draw(st.integers(0, 3))):
        ids = [each for _, each in zip(range(draw(st.integers(0, 2))), fresh, strict=False)]
        spoken = [text("well")] if draw(st.booleans()) or not ids else []
        messages.append(assistant([*spoken, *map(call, ids)]))
        answers = draw(st.permutations([result(each) for each in ids]))
        behind = [text("so?")] if draw(st.booleans()) or not ids else []
        split = draw(st.integers(0, len(answers)))
        messages += [user(part) for part in (answers[:split], [*answers[split:], *behind]) if part]
    for _ in range(draw(st.integers(0, 2))):
        _break(draw, messages)
    return [message for message in messages if message["content"]]


def _break(draw: st.DrawFn, messages: list[Json]) -> None:
    content: list[Any] = draw(st.sampled_from(messages))["content"]
    if not content:
        return
    at = draw(st.integers(0, len(content) - 1))
    match draw(st.sampled_from(["drop", "double", "swap", "rename", "move"])):
        case "drop":
            del content[at]
        case "double":
            content.append(content[at])
        case "swap":
            content.reverse()
        case "rename":
            key = {"tool_use": "id", "tool_result": "tool_use_id", "text": "text"}[content[at]["type"]]
            content[at] = {**content[at], key: draw(st.sampled_from(IDS))}
        case _:
            block = content.pop(at)
            takers = [m for m in messages if (m["role"] == "assistant") == (block["type"] == "tool_use")]
            draw(st.sampled_from(takers or messages))["content"].append(block)


def is_paired(messages: list[Json]) -> bool:
    """Pairing as the documents say it, by looking at every pair of blocks."""
    groups = [
        [block for message in together for block in message["content"]]
        for _, together in groupby(messages, key=lambda message: message["role"])
    ]
    calls = [(g, block["id"]) for g, group in enumerate(groups) for block in group if block["type"] == "tool_use"]
    results = [
        (g, block["tool_use_id"], any(earlier["type"] != "tool_result" for earlier in group[:n]))
        for g, group in enumerate(groups)
        for n, block in enumerate(group)
        if block["type"] == "tool_result"
    ]
    unique = len(set(calls)) == len(calls)
    last = all(
        block["type"] == "tool_use"
        for group in groups
        for n, block in enumerate(group)
        if any(earlier["type"] == "tool_use" for earlier in group[:n])
    )
    answered = all([(g + 1, each, False)] == [r for r in results if r[:2] == (g + 1, each)] for g, each in calls)
    asked = all((g - 1, each) in calls for g, each, _ in results)
    return unique and last and answered and asked


def is_placed(messages: list[Json]) -> bool:
    owner = {"tool_use": "assistant", "tool_result": "user"}
    return all(owner.get(b["type"], m["role"]) == m["role"] for m in messages for b in m["content"])


@pytest.mark.promise("errors.tool-pairing")
@given(mended_and_broken())
def test_the_ladder_and_a_brute_force_judge_agree_about_pairing(messages: list[Json]) -> None:
    if not messages or not is_placed(messages):
        event("out of shape")
        assert wrong(body(*messages) | {"messages": messages}) is not None
        return
    paired = is_paired(messages)
    event("paired" if paired else "not paired")
    message = wrong(body(*messages))
    assert (message is None) == paired, message


BLOCKS: list[Json] = [
    text("a"),
    text(" "),
    text(""),
    text("a", cache_control={"type": "ephemeral"}),
    text("b", cache_control={"type": "ephemeral", "ttl": "1h"}),
    thought(),
    image(),
    call("toolu_a"),
    call("toolu_b"),
    result("toolu_a"),
    result("toolu_b", [text("c"), image()]),
    server_call("srvtoolu_a"),
    search_result("srvtoolu_a"),
]

ANY_CONTENT = st.one_of(st.sampled_from(["", " ", "a", "a "]), st.lists(st.sampled_from(BLOCKS), max_size=4))

ANY_MESSAGE = st.one_of(
    st.builds(user, ANY_CONTENT), st.builds(assistant, ANY_CONTENT), st.builds(system, ANY_CONTENT)
)

MODELS = st.sampled_from(["tiny", "claude-opus-4-8", "claude-sonnet-4-5", "claude-fable-5-1", "claude-sonnet-5-5"])

MORE = st.fixed_dictionaries(
    {},
    optional={
        "thinking": st.sampled_from(
            [{"type": "disabled"}, {"type": "adaptive"}, {"type": "enabled", "budget_tokens": 2048}]
        ),
        "temperature": st.sampled_from([0.2, 1]),
        "system": st.sampled_from(["", "a", [text("a")]]),
        "output_config": st.sampled_from([{"effort": "max"}, {}]),
        "max_tokens": st.sampled_from([0, 100, 4000, 200_000]),
    },
)


@pytest.mark.promise("errors.first-problem-only")
@given(st.lists(ANY_MESSAGE, max_size=6), MODELS, MORE)
def test_every_conversation_is_accepted_or_gets_one_issue_in_words(
    messages: list[Json], model: str, more: Json
) -> None:
    found = issue({**body(), **more, "messages": messages, "model": model})
    event("accepted" if found is None else "refused")
    if found is not None:
        assert isinstance(found, Issue)
        assert found.message
        assert "None" not in found.message


def test_a_rung_stands_on_the_ladder_once() -> None:
    assert len(set(RUNGS)) == len(RUNGS)
