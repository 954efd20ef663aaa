"""What a token holds, and for which requests."""

from typing import Any

import pytest

from antiphon.request.case import Issue
from antiphon.request.sealed.credits import LIFETIME, Redemption, minted, redeem, sealed
from antiphon.seals import NONCE_BYTES, Seals
from antiphon.wire.base import WireContext
from antiphon.wire.request import CreateMessage, InputMessage
from tests.profiles.builtin import builtin_catalogue

Json = dict[str, Any]

SEALS = Seals([bytes(range(32))])
CONTEXT = WireContext(betas=frozenset({"fallback-credit-2026-07-01"}), tenant="a")
ASKED: Json = {"model": "claude-opus-4-8", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}
CALL: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND: Json = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
WROTE: Json = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
THOUGHT: Json = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
HOP: Json = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def said(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def token(*blocks: Json, ran: bool = False) -> str:
    """What the refusal of a reply with these blocks leaves at the moment 0."""
    told = InputMessage.model_validate(said(*blocks)) if blocks else None
    request = CreateMessage.model_validate(ASKED)
    credit = minted(request, CONTEXT, told, model="claude-opus-4-8", now=0.0, ran=ran, warm=7)
    return sealed(credit, SEALS, bytes(NONCE_BYTES))


def redeemed(
    token: str, *more: Json, context: WireContext = CONTEXT, now: float = 1.0, seals: Seals = SEALS, **other: Any
) -> Issue | Redemption | None:
    """What comes of it with the same request and `more` behind it."""
    asked = {**ASKED, "model": "claude-haiku-4-5", "messages": [*ASKED["messages"], *more], **other}
    request = CreateMessage.model_validate(
        {**asked, "fallback_credit_token": {"token": token, "mode": "best_effort"}}
    )
    profile = builtin_catalogue().resolve(request.model)
    assert profile is not None
    return redeem(request, profile, context, seals, now)


EXACT, GONE_ON = Redemption(tokens=7), Redemption(tokens=7, continues=True)


@pytest.mark.promise("fallbacks.credit")
@pytest.mark.parametrize(
    ("left", "sent", "comes"),
    [
        pytest.param([text("So. ")], [], EXACT, id="from scratch"),
        pytest.param([text("So. ")], [text("So.")], GONE_ON, id="white space at the end"),
        pytest.param(
            [text("So. "), HOP, text("Well")], [text("So. Well")], GONE_ON, id="one text, and no mark of a hop"
        ),
        pytest.param([THOUGHT, text("So")], [text("So")], GONE_ON, id="no thoughts"),
        pytest.param([text("So"), WROTE], [text("So")], GONE_ON, id="no call that nobody has answered"),
        pytest.param([text("So"), CALL, FOUND], [text("So"), CALL, FOUND], GONE_ON, id="what the server ran"),
        pytest.param([text("So"), CALL, FOUND], [text("So")], Redemption("body_mismatch"), id="without what it ran"),
        pytest.param([text("So")], [text("No")], Redemption("body_mismatch"), id="another text"),
        pytest.param([], [text("So")], Redemption("continuation_excluded"), id="nothing to go on from"),
        pytest.param([THOUGHT], [text("So")], Redemption("continuation_excluded"), id="nothing but a thought"),
    ],
)
def test_a_reply_comes_back_in_the_forms_that_clients_have(
    left: list[Json], sent: list[Json], comes: Redemption
) -> None:
    assert redeemed(token(*left), *([said(*sent)] if sent else [])) == comes


@pytest.mark.promise("fallbacks.credit-refused")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"context": WireContext(betas=CONTEXT.betas, tenant="b")}, "wrong_workspace"),
        ({"context": WireContext(betas=CONTEXT.betas | {"context-1m-2025-08-07"}, tenant="a")}, "body_mismatch"),
        ({"now": LIFETIME}, "expired"),
        ({"model": "claude-opus-4-8"}, "invalid_target_model"),
        ({"tool_choice": {"type": "none"}}, "body_mismatch"),
    ],
)
def test_what_does_not_hold_is_named(change: Json, problem: Any) -> None:
    assert redeemed(token(), **change) == Redemption(problem)


@pytest.mark.promise("fallbacks.credit")
def test_what_does_not_shape_the_prompt_may_be_other() -> None:
    change: Json = {
        "max_tokens": 99,
        "temperature": 0.5,
        "stop_sequences": ["x"],
        "stream": True,
        "service_tier": "auto",
    }
    assert redeemed(token(), metadata={"user_id": "u"}, **change) == EXACT


def test_behind_tools_only_going_on_redeems() -> None:
    assert redeemed(token(text("So"), ran=True)) == Redemption("continuation_only")
    assert redeemed(token(text("So"), ran=True), said(text("So"))) == GONE_ON


@pytest.mark.promise("fallbacks.credit-refused")
def test_a_seal_of_another_make_is_an_error_in_any_mode() -> None:
    issue = Issue("fallback_credit_token: invalid or malformed")
    assert redeemed(token(), seals=Seals([bytes(32)])) == issue
    assert redeemed(SEALS.seal_credit("{}", bytes(NONCE_BYTES))) == issue
