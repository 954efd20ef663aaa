"""Extended thinking: blocks, their order, their signatures, and what is refused."""

from typing import Any, Final

from antiphon.conformance.api import Api, blocks
from antiphon.conformance.check import Failed, Row, Skipped, Subject, dictionary, expect, text_of
from antiphon.conformance.events import deltas, of_kind
from antiphon.conformance.subjects.words import user

SUBJECT: Final = Subject("thinking", "Extended thinking")
check = SUBJECT.check
MANUAL: Final[dict[str, Any]] = {
    **user("What is two and two?"),
    "max_tokens": 1400,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
_THOUGHTS: Final = ("thinking", "redacted_thinking")

_WRONG: Final[tuple[Row, ...]] = (
    ("kind", "An unknown kind of thinking is refused.", {"thinking": {"type": "dreaming"}}),
    ("type", "thinking that is no object is refused.", {"thinking": "yes"}),
    ("kindless", "thinking without a type is refused.", {"thinking": {}}),
    (
        "no-budget",
        "Thinking that is enabled without a budget is refused.",
        {"thinking": {"type": "enabled"}, "max_tokens": 4000},
    ),
    (
        "small-budget",
        "A budget below 1,024 tokens is refused.",
        {"thinking": {"type": "enabled", "budget_tokens": 10}, "max_tokens": 4000},
    ),
    (
        "large-budget",
        "A budget that max_tokens has no room for is refused.",
        {"thinking": {"type": "enabled", "budget_tokens": 4000}, "max_tokens": 2000},
    ),
)
for _name, _sentence, _changes in _WRONG:
    SUBJECT.refuses(f"refused-{_name}", _sentence, _changes)
SUBJECT.refuses(
    "refused-unsigned",
    "A thought without its signature is refused.",
    {
        "messages": [
            {"role": "user", "content": "Hi."},
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello."}],
            },
            {"role": "user", "content": "Say hello."},
        ]
    },
)


@check("disabled", "Thinking that is disabled leaves no thought.", needs="thinking")
def _(api: Api) -> None:
    found = thoughts(api.said({"thinking": {"type": "disabled"}}))
    expect(not found, f"there are {len(found)} thoughts")


@check("first", "A thought stands before the answer.", needs="thinking")
def _(api: Api) -> None:
    kinds = [block.get("type") for block in blocks(thinker(api))]
    at = [place for place, kind in enumerate(kinds) if kind in _THOUGHTS]
    expect(not at or at[0] == 0, f"the blocks are {kinds}")


@check("text", "A thought has a text.", needs="thinking")
def _(api: Api) -> None:
    for block in blocks(thinker(api), "thinking"):
        expect(isinstance(block.get("thinking"), str), f"thinking is {block.get('thinking')!r}")


@check("signature", "A thought has a signature.", needs="thinking")
def _(api: Api) -> None:
    for block in thoughts(thinker(api)):
        text_of(block.get("signature") or block.get("data"), "the signature")


@check(
    "replayed",
    "A thought goes back as it came.",
    source="Extended thinking: Preserving thinking blocks",
    needs="thinking",
)
def _(api: Api) -> None:
    api.said(again(api, thinker(api)["content"]))


@check(
    "forged",
    "A thought whose signature was changed is refused.",
    source="Extended thinking: Thinking encryption",
    needs="thinking",
)
def _(api: Api) -> None:
    content = [dict(block) for block in thinker(api)["content"]]
    signed = [block for block in content if block.get("type") == "thinking"]
    if not signed:
        raise Skipped("the model did not think, or its thoughts are redacted")
    signed[0]["signature"] = "AAAA" + str(signed[0].get("signature"))[4:]
    answer = api.post(api.request(again(api, content)))
    expect(answer.status == 400, f"the status is {answer.status}")


@check(
    "streamed",
    "A thought streams in thinking_delta, its signature at its end.",
    source="Streaming Messages: Thinking delta",
    needs="thinking",
)
def _(api: Api) -> None:
    events = api.heard(MANUAL)
    kinds = [str(delta.get("type")) for kind, delta in deltas(events) if kind == "thinking"]
    begun = [
        event
        for event in of_kind(events, "content_block_start")
        if dictionary(event["content_block"]).get("type") == "thinking"
    ]
    expect(not begun or kinds[-1:] == ["signature_delta"], f"the deltas of thoughts are {kinds}")
    expect(set(kinds) <= {"thinking_delta", "signature_delta"}, f"the deltas of thoughts are {sorted(set(kinds))}")


def thinker(api: Api) -> dict[str, Any]:
    """A reply that was asked to think."""
    return api.said(MANUAL)


def thoughts(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The thoughts of a reply."""
    return [block for block in blocks(message) if block.get("type") in _THOUGHTS]


def again(api: Api, content: Any) -> dict[str, Any]:
    """The request that goes on from a reply that thought."""
    if thinker(api).get("stop_reason") != "end_turn":
        raise Skipped("the reply that thought was cut, so that there is nothing whole to send back")
    told = [{"role": "assistant", "content": content}, {"role": "user", "content": "Say hello."}]
    return {**MANUAL, "messages": [*MANUAL["messages"], *told]}


def probe(api: Api) -> None:
    """Raise `Skipped` where a model cannot be told to think for a budget."""
    answer = api.post(api.request(MANUAL))
    if answer.status == 400:
        raise Skipped(f"thinking: {answer.short}")
    if answer.status != 200:
        raise Failed(answer.short)
