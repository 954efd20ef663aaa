"""Thoughts that come back: which are verified, which are refused and in what words, which are dropped."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from tests.request.requests import (
    LOCAL,
    TOOL,
    Json,
    assistant,
    body,
    call,
    context,
    redacted,
    result,
    text,
    thought,
    user,
)
from tests.request.sealing import STRANGER, hidden, reading, refusal, sealed, taken, texts

CONTROLS = "thinking-binding-controls-2026-08-01"

ADAPTIVE: Json = {"type": "adaptive"}

ENABLED: Json = {"type": "enabled", "budget_tokens": 1024}

DISABLED: Json = {"type": "disabled"}

MODIFIED = (
    "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must "
    "remain as they were in the original response."
)

BAD_SIGNATURE = "Invalid `signature` in `thinking` block"

BAD_DATA = "Invalid `data` in `redacted_thinking` block"


def asked(*messages: Json, thinking: Json | None = ADAPTIVE, model: str = LOCAL, **more: Any) -> Json:
    settings = {} if thinking is None else {"thinking": thinking}
    return {**body(*messages, max_tokens=5000, **settings, **more), "model": model}


def edited(block: Json, words: str = "Something else.") -> Json:
    return {**block, "thinking": words}


def flipped(block: Json) -> Json:
    key = "signature" if block["type"] == "thinking" else "data"
    seal = block[key]
    return {**block, key: seal[:-8] + ("A" if seal[-8] != "A" else "B") + seal[-7:]}


def closed(*blocks: Json) -> list[Json]:
    return [user(), assistant([*blocks, text("so")]), user()]


def going(*blocks: Json, n: int = 1) -> list[Json]:
    return [assistant([*blocks, call(f"toolu_{n}")]), user([result(f"toolu_{n}")])]


REFUSED: dict[str, tuple[list[Json], str]] = {
    "a signature that is not one": (closed(thought()), f"messages.1.content.0: {BAD_SIGNATURE}"),
    "an empty signature": (closed(thought("")), f"messages.1.content.0: {BAD_SIGNATURE}"),
    "a signature with another letter": (closed(flipped(sealed())), f"messages.1.content.0: {BAD_SIGNATURE}"),
    "a signature of another server": (closed(sealed(seals=STRANGER)), f"messages.1.content.0: {BAD_SIGNATURE}"),
    "data as a signature": (closed(thought(hidden()["data"])), f"messages.1.content.0: {BAD_SIGNATURE}"),
    "data that is none": (closed(redacted()), f"messages.1.content.0: {BAD_DATA}"),
    "data with another letter": (closed(flipped(hidden())), f"messages.1.content.0: {BAD_DATA}"),
    "a signature as data": (closed(redacted(sealed()["signature"])), f"messages.1.content.0: {BAD_DATA}"),
    "another text in the latest message": (closed(edited(sealed())), f"messages.1.content.0: {MODIFIED}"),
    "no text in the latest message": (closed(edited(sealed(), "")), f"messages.1.content.0: {MODIFIED}"),
    "one more space in the latest message": (
        closed(edited(sealed("a"), "a ")),
        f"messages.1.content.0: {MODIFIED}",
    ),
    "another summary in the latest message": (
        closed(edited(sealed(shown="In short"))),
        f"messages.1.content.0: {MODIFIED}",
    ),
    "another text in the open turn": ([user(), *going(edited(sealed()))], f"messages.1.content.0: {MODIFIED}"),
    "another text in an earlier message": (
        [*closed(edited(sealed())), assistant([sealed(), text("b")]), user()],
        f"messages.1.content.0: {BAD_SIGNATURE}",
    ),
    "a forged block behind a true one": (closed(sealed(), thought()), f"messages.1.content.1: {BAD_SIGNATURE}"),
    "the first of two": (closed(thought(), edited(sealed())), f"messages.1.content.0: {BAD_SIGNATURE}"),
    "a forged block before the latest": (
        [*closed(thought()), assistant([edited(sealed()), text("b")]), user()],
        f"messages.1.content.0: {BAD_SIGNATURE}",
    ),
}


@pytest.mark.promise("thinking.signatures-verified")
@pytest.mark.parametrize("case", REFUSED)
def test_a_forged_or_changed_thought_is_refused_in_the_api_s_words(case: str):
    messages, message = REFUSED[case]
    assert refusal(asked(*messages)) == message
    assert refusal(asked(*messages, thinking=ENABLED)) == message


@pytest.mark.promise("thinking.signatures-verified")
def test_a_thought_twice_in_the_latest_message_is_a_modification():
    block = sealed()
    assert refusal(asked(*closed(block, block))) == f"messages.1.content.1: {MODIFIED}"
    assert refusal(asked(*closed(block, text("a"), block))) == f"messages.1.content.2: {MODIFIED}"


@pytest.mark.promise("thinking.signatures-verified")
def test_a_signature_without_a_padding_or_with_a_line_break_is_not_the_one_that_was_sent():
    block = sealed()
    for seal in (block["signature"].rstrip("=") + "\n", " " + block["signature"], block["signature"] + "="):
        found = refusal(asked(*closed({**block, "signature": seal})))
        assert found == f"messages.1.content.0: {BAD_SIGNATURE}"


@pytest.mark.promise("thinking.signatures-verified")
@pytest.mark.promise("thinking.redacted")
@pytest.mark.parametrize("thinking", [ADAPTIVE, ENABLED])
def test_true_thoughts_are_read_whole_whatever_the_client_was_shown(thinking: Json):
    messages = [
        *closed(sealed("all of it"), sealed("long", shown="In short."), sealed("unseen", shown="")),
        *[assistant([hidden("dark"), text("b")]), user()],
    ]
    assert texts(taken(asked(*messages, thinking=thinking))) == {
        "messages.1.content.0": "all of it",
        "messages.1.content.1": "long",
        "messages.1.content.2": "unseen",
        "messages.3.content.0": "dark",
    }


def test_a_text_put_into_a_block_that_was_sent_without_one_is_ignored():
    omitted = sealed("unseen", shown="")
    assert texts(taken(asked(*closed(edited(omitted))))) == {"messages.1.content.0": "unseen"}


@pytest.mark.promise("thinking.off-ignores")
@pytest.mark.parametrize(
    ("model", "thinking"),
    [(LOCAL, DISABLED), (LOCAL, None), ("claude-opus-4-5", None), ("claude-opus-5", DISABLED)],
)
def test_with_thinking_off_nothing_is_read_and_nothing_verified(model: str, thinking: Json | None):
    request = asked(*closed(sealed(), thought(), redacted()), model=model, thinking=thinking)
    assert texts(taken(request, CONTROLS)) == {}
    assert taken(request, CONTROLS).transformations == ()


@pytest.mark.promise("thinking.off-ignores")
def test_a_model_that_thinks_by_default_verifies_without_being_asked():
    request = asked(*closed(thought()), model="claude-opus-5", thinking=None)
    assert refusal(request) == f"messages.1.content.0: {BAD_SIGNATURE}"
    between = asked(*closed(thought()), model="claude-sonnet-5-5", thinking={"type": "between_tools"})
    assert refusal(between) == f"messages.1.content.0: {BAD_SIGNATURE}"


def test_a_count_verifies_what_a_reply_verifies():
    request = asked(*closed(thought()))
    del request["max_tokens"]
    assert refusal(request) == f"messages.1.content.0: {BAD_SIGNATURE}"


@given(st.lists(st.tuples(st.booleans(), st.text(max_size=60)), min_size=1, max_size=3), st.booleans())
def test_whatever_a_client_sends_for_a_seal_is_refused_or_dropped(seals: list[tuple[bool, str]], drop: bool):
    blocks = [redacted(seal) if dark else thought(seal) for dark, seal in seals]
    request = asked(*closed(*blocks), model="claude-opus-5-5")
    if drop:
        assert texts(taken(request, foreign="drop")) == {}
    else:
        assert refusal(request) == f"messages.1.content.0: {BAD_DATA if seals[0][0] else BAD_SIGNATURE}"


@pytest.mark.promise("thinking.other-models-thoughts")
def test_another_model_s_thought_is_dropped_and_only_reported_under_the_header():
    request = asked(*closed(sealed("mine"), sealed("another's", model="reader"), hidden("dark", model="reader")))
    thoughts = taken(request, CONTROLS)
    assert texts(thoughts) == {"messages.1.content.0": "mine"}
    entries = [
        {"type": "thinking_dropped", "path": f"messages.1.content.{at}", "reason": "model_binding_mismatch"}
        for at in (1, 2)
    ]
    assert thoughts.reported(context(CONTROLS)) == entries
    assert thoughts.reported(context()) is UNSET
    assert [each.path for each in thoughts.dropped] == ["messages.1.content.1", "messages.1.content.2"]
    assert texts(taken(request, model="reader")) == {
        "messages.1.content.1": "another's",
        "messages.1.content.2": "dark",
    }


def test_nothing_to_report_is_an_empty_list_under_the_header():
    assert taken(asked(*closed(sealed())), CONTROLS).reported(context(CONTROLS)) == []
    assert taken(asked(user(), thinking=DISABLED), CONTROLS).reported(context(CONTROLS)) == []


@pytest.mark.promise("thinking.foreign-dropped")
def test_an_owner_may_have_what_does_not_verify_dropped():
    blocks = [sealed("mine"), thought(), edited(sealed()), redacted(), sealed(seals=STRANGER)]
    request = asked(*closed(*blocks))
    assert isinstance(refusal(request), str)
    thoughts = taken(request, CONTROLS, foreign="drop")
    assert texts(thoughts) == {"messages.1.content.0": "mine"}
    assert [(each.path, each.reason) for each in thoughts.dropped] == [
        (f"messages.1.content.{at}", "organization_binding_mismatch") for at in (1, 2, 3, 4)
    ]


@pytest.mark.promise("thinking.foreign-dropped")
def test_a_dropped_thought_still_begins_the_turn_that_it_began():
    request = asked(user(), *going(thought()), thinking=ENABLED, tools=[TOOL])
    assert texts(taken(request, foreign="drop")) == {}


@pytest.mark.promise("thinking.interleaved")
@pytest.mark.parametrize(
    ("messages", "spent"),
    [
        ([user()], 0),
        ([user(), *going(sealed(tokens=7))], 7),
        ([user(), *going(sealed(tokens=7)), *going(hidden(tokens=5), n=2)], 12),
        ([user(), *going(sealed(tokens=7)), *going(n=2)], 7),
        # what the user says ends the turn, even beside results
        (closed(sealed(tokens=7)), 0),
        ([user(), assistant([sealed(tokens=7), call("toolu_1")]), user([result("toolu_1"), text("so?")])], 0),
        ([*closed(sealed(tokens=7)), *going(sealed(tokens=5))], 5),
        # what another model thought was thought in this turn all the same
        ([user(), *going(sealed(tokens=7, model="reader"))], 7),
    ],
)
def test_what_a_turn_has_spent_is_what_its_thoughts_took(messages: list[Json], spent: int):
    assert taken(asked(*messages)).spent == spent


def test_a_conversation_without_thoughts_is_read_as_such():
    thoughts = taken(asked(user(), assistant("a"), user()))
    assert (dict(thoughts.opened), thoughts.transformations, thoughts.spent) == ({}, (), 0)
    assert thoughts.at(1, 0) is None


def test_a_thought_is_found_at_its_place():
    thoughts = taken(asked(*closed(sealed("here"))))
    found = thoughts.at(1, 0)
    assert found is not None
    assert found.text == "here"
    assert thoughts.at(1, 1) is None


def test_thoughts_in_messages_in_a_row_are_read_by_the_client_s_own_positions():
    messages = [user(), assistant([sealed("one")]), assistant([sealed("two"), text("a")]), user()]
    assert texts(taken(asked(*messages))) == {"messages.1.content.0": "one", "messages.2.content.0": "two"}


def test_the_ladder_s_own_refusals_come_first():
    found = reading(asked(user(), assistant([thought()]), user()))
    assert str(found).startswith("Issue(message='messages.1: The final block in an assistant message cannot be")
