"""Conversations with thoughts, each with one block swapped, removed, doubled or moved: a judge that knows only the
documents agrees with the server about every one of them."""

from collections.abc import Callable, Iterator
from itertools import combinations, groupby
from typing import Any

import pytest

from tests.request.requests import TOOL, Json, body, call, result, text, user
from tests.request.sealing import Hidden, answered, going_on, refusal, seal_of

INTERLEAVED = "interleaved-thinking-2025-05-14"

MODES: dict[str, Json] = {"enabled": {"type": "enabled", "budget_tokens": 2048}, "adaptive": {"type": "adaptive"}}

THOUGHTS = ("thinking", "redacted_thinking")

Messages = list[Json]


def start(mode: str) -> Json:
    return body(user([text("go")]), max_tokens=5000, thinking=MODES[mode], tools=[TOOL])


def replied(request: Json, *parts: Json | str | Hidden, then: list[Json]) -> Json:
    return going_on(answered(request, *parts, betas=(INTERLEAVED,)), user(then))


def closed(mode: str) -> Json:
    return replied(start(mode), "a", text("well"), then=[text("and?")])


def called(mode: str) -> Json:
    return replied(start(mode), "a", text("well"), call("toolu_a"), then=[result("toolu_a")])


def interleaved(mode: str) -> Json:
    request = replied(start(mode), "a", call("toolu_a"), then=[result("toolu_a")])
    return replied(request, "b", text("well"), call("toolu_b"), then=[result("toolu_b")])


def two_in_a_row(mode: str) -> Json:
    request = replied(
        start(mode), "a", "b", call("toolu_a"), call("toolu_b"), then=[result("toolu_a"), result("toolu_b")]
    )
    return replied(request, "c", "d", text("well"), then=[text("and?")])


def redacted_first(mode: str) -> Json:
    request = replied(start(mode), Hidden("x"), "a", text("well"), then=[text("and?")])
    return replied(request, "b", call("toolu_a"), then=[result("toolu_a")])


def answered_with_words(mode: str) -> Json:
    request = replied(start(mode), "a", text("well"), call("toolu_a"), then=[result("toolu_a"), text("so?")])
    return replied(request, "b", text("yes"), "c", text("no"), then=[text("and?")])


CONVERSATIONS: list[Callable[[str], Json]] = [
    closed,
    called,
    interleaved,
    two_in_a_row,
    redacted_first,
    answered_with_words,
]


def places(messages: Messages) -> list[tuple[int, int]]:
    return [(n, m) for n, message in enumerate(messages) for m in range(len(message["content"]))]


def copied(messages: Messages) -> Messages:
    return [{**message, "content": list(message["content"])} for message in messages]


def mutations(messages: Messages) -> Iterator[Messages]:
    """Every conversation that is one swap, removal, copy or move of a block away."""
    here = places(messages)
    gaps = [(n, m) for n, message in enumerate(messages) for m in range(len(message["content"]) + 1)]
    for (n, m), (k, j) in combinations(here, 2):
        other = copied(messages)
        other[n]["content"][m], other[k]["content"][j] = messages[k]["content"][j], messages[n]["content"][m]
        yield other
    for n, m in here:
        other = copied(messages)
        del other[n]["content"][m]
        yield other
        for k, j in gaps:
            doubled = copied(messages)
            doubled[k]["content"].insert(j, messages[n]["content"][m])
            yield doubled
            moved = copied(messages)
            moved[k]["content"].insert(j, messages[n]["content"][m])
            del moved[n]["content"][m + 1 if (k, j) <= (n, m) and k == n else m]
            yield moved


class Judge:
    """What the documents say of a conversation, one rule after the other; `original`: how it was written."""

    def __init__(self, original: Messages, mode: str) -> None:
        self.mode = mode
        thoughts = [seal_of(b) for message in original for b in message["content"] if b["type"] in THOUGHTS]
        self.before = dict(zip(thoughts[1:], thoughts, strict=False))

    def says(self, messages: Messages) -> str | None:
        """The beginning of the refusal, None where there is none."""
        rules = (self.empty, self.misplaced, self.unpaired, self.ends, self.begins, self.opens, self.prefills)
        told = next((found for rule in rules if (found := rule(messages)) is not None), None)
        return told or self.modified(messages)

    def empty(self, messages: Messages) -> str | None:
        for n, message in enumerate(messages):
            if not message["content"]:
                who = "user messages must have" if message["role"] == "user" else "all messages must have"
                return f"messages.{n}: {who} non-empty content"
        return None

    def misplaced(self, messages: Messages) -> str | None:
        owners = {"tool_result": "user", "tool_use": "assistant", **dict.fromkeys(THOUGHTS, "assistant")}
        for n, message in enumerate(messages):
            for block in message["content"]:
                if owners.get(block["type"], message["role"]) != message["role"]:
                    return f"messages.{n}: `{block['type']}` blocks can only be in"
        return None

    def unpaired(self, messages: Messages) -> str | None:
        calls: list[tuple[int, str]] = []
        results: list[tuple[int, str, bool]] = []
        last = True
        for n, message in enumerate(messages):
            kinds = [block["type"] for block in message["content"]]
            behind = kinds[kinds.index("tool_use") :] if "tool_use" in kinds else []
            last = last and set(behind) <= {"tool_use"}
            calls += [(n, block["id"]) for block in message["content"] if block["type"] == "tool_use"]
            results += [
                (n, block["tool_use_id"], set(kinds[:m]) <= {"tool_result"})
                for m, block in enumerate(message["content"])
                if block["type"] == "tool_result"
            ]
        paired = len(set(calls)) == len(calls) and sorted(results) == sorted((n + 1, each, True) for n, each in calls)
        return None if paired and last else "tool_"

    def ends(self, messages: Messages) -> str | None:
        for n, message in enumerate(messages):
            last = message["content"][-1]["type"]
            if last in THOUGHTS:
                return f"messages.{n}: The final block in an assistant message cannot be `{last}`."
        return None

    def begins(self, messages: Messages) -> str | None:
        for n, message in enumerate(messages):
            kinds = [block["type"] for block in message["content"]]
            if self.mode == "enabled" and kinds[0] not in THOUGHTS and not set(kinds).isdisjoint(THOUGHTS):
                return (
                    f"messages.{n}.content.0: If an assistant message contains any thinking blocks, the first block"
                )
        return None

    def opens(self, messages: Messages) -> str | None:
        first: int | None = None
        for n, message in enumerate(messages):
            if message["role"] == "assistant":
                first = n if first is None else first
            elif any(block["type"] != "tool_result" for block in message["content"]):
                first = None
        if self.mode == "adaptive" or first is None:
            return None
        kind = messages[first]["content"][0]["type"]
        expected = f"messages.{first}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{kind}`."
        return None if kind in THOUGHTS else expected

    def prefills(self, messages: Messages) -> str | None:
        return "Assistant message prefill" if messages[-1]["role"] == "assistant" else None

    def modified(self, messages: Messages) -> str | None:
        latest = max(n for n, message in enumerate(messages) if message["role"] == "assistant")
        seen: list[str] = []
        at = 0
        for thinks, group in groupby(messages[latest]["content"], key=lambda block: block["type"] in THOUGHTS):
            run = list(group)
            for m, block in enumerate(run if thinks else []):
                seal = seal_of(block)
                gap = m > 0 and self.before.get(seal) != seen[-1]
                if seal in seen or gap:
                    return (
                        f"messages.{latest}.content.{at + m}: `thinking` or `redacted_thinking` blocks in the latest"
                    )
                seen.append(seal)
            at += len(run)
        return None


@pytest.mark.promise("thinking.history-rules")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_every_change_of_a_conversation_is_judged_as_the_documents_say(
    conversation: Callable[[str], Json], mode: str
):
    request = conversation(mode)
    original: Messages = request["messages"]
    judge = Judge(original, mode)
    assert judge.says(original) is None
    assert refusal(request, INTERLEAVED) is None
    verdicts = dict.fromkeys(("refused", "taken"), 0)
    for messages in mutations(original):
        expected, found = judge.says(messages), refusal({**request, "messages": messages}, INTERLEAVED)
        verdicts["taken" if expected is None else "refused"] += 1
        agrees = found is None if expected is None else found is not None and said(expected, found)
        assert agrees, (expected, found, shape(messages))
    assert min(verdicts.values()) > 0, verdicts


def said(expected: str, found: str) -> bool:
    return expected in found if expected == "tool_" else found.startswith(expected)


def shape(messages: Messages) -> list[Any]:
    return [[block["type"] for block in message["content"]] for message in messages]
