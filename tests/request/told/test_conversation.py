"""From the wire to the neutral conversation."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.conversation import Conversation, Limits, Sampling, Text, Turn
from antiphon.dialogue.tools import Result
from antiphon.request.intake import parse_count, parse_create
from antiphon.request.sealed.compactions import told as summarized
from antiphon.request.task import task_of
from antiphon.request.told.conversation import OPENING
from tests.request.requests import (
    Json,
    asked,
    assistant,
    body,
    call,
    context,
    image,
    result,
    system,
    text,
    thought,
    told_of,
    tool,
    user,
)

CLEAR_AT = "mid-conversation-system-clear-at-2026-08-21"

TURN_CONFIG = "mid-conversation-output-config-2026-07-01"


def lowered(*messages: Json, **more: Any) -> Conversation:
    headers = context(CLEAR_AT, TURN_CONFIG, "compact-2026-01-12")
    return told_of(parse_create(orjson.dumps(body(*messages, **more)), headers), headers)


def said(speaker: Any, *words: str) -> Turn:
    return Turn(speaker, tuple(Text(each) for each in words))


@pytest.mark.promise("conversation.roles-merge")
@pytest.mark.parametrize(
    ("messages", "turns", "prefill"),
    [
        ([user("a")], [said("user", "a")], None),
        ([user([text("a"), text("b")])], [said("user", "a", "b")], None),
        (
            [user("a"), assistant("b"), user("c")],
            [said("user", "a"), said("assistant", "b"), said("user", "c")],
            None,
        ),
        # consecutive messages of one role are one turn, and their parts keep their bounds and their order
        ([user("a"), user([text("b"), text("c")]), user("d")], [said("user", "a", "b", "c", "d")], None),
        (
            [user("a"), assistant("b"), assistant("c"), user("d")],
            [said("user", "a"), said("assistant", "b", "c"), said("user", "d")],
            None,
        ),
        # nothing is stripped
        ([user(" a\n")], [said("user", " a\n")], None),
        # a final assistant message is the beginning of the reply
        ([user("a"), assistant("b")], [said("user", "a")], "b"),
        ([user("a"), assistant([text("b "), text("c")])], [said("user", "a")], "b c"),
        ([user("a"), assistant("b"), assistant("c")], [said("user", "a")], "bc"),
        ([user("a"), assistant([])], [said("user", "a")], None),
        ([user("a"), assistant("")], [said("user", "a")], None),
        ([user("a"), assistant("b"), assistant([])], [said("user", "a")], "b"),
        # thinking that nobody has read is left out
        (
            [user("a"), assistant([thought(), text("b")]), user("c")],
            [said("user", "a"), said("assistant", "b"), said("user", "c")],
            None,
        ),
        (
            [user("a"), assistant([{"type": "redacted_thinking", "data": "x"}, text("b")])],
            [said("user", "a")],
            "b",
        ),
        # system messages stay where they stand
        (
            [user("a"), system("s"), system([text("t")]), assistant("b"), user("c")],
            [said("user", "a"), said("system", "s", "t"), said("assistant", "b"), said("user", "c")],
            None,
        ),
        ([user("a"), system("s")], [said("user", "a"), said("system", "s")], None),
        # a directive says nothing, and does not part what it stands between
        ([user("a"), system([], output_config={"effort": "high"}), user("b")], [said("user", "a", "b")], None),
    ],
)
def test_messages_become_turns(messages: list[Json], turns: list[Turn], prefill: str | None) -> None:
    assert lowered(*messages) == Conversation((), tuple(turns), prefill)


@pytest.mark.promise("conversation.assistant-first")
@pytest.mark.parametrize(
    ("messages", "turns", "prefill"),
    [
        (
            [assistant("Welcome."), user("Hi")],
            [said("user", OPENING), said("assistant", "Welcome."), said("user", "Hi")],
            None,
        ),
        ([assistant("Once upon")], [said("user", OPENING)], "Once upon"),
        ([assistant("")], [said("user", OPENING)], None),
        # A summary stands for what was said before, whoever brings it.
        (
            [assistant([{"type": "compaction", "content": "They said hello."}]), user("Go on")],
            [said("user", summarized("They said hello."), "Go on")],
            None,
        ),
    ],
)
def test_where_the_assistant_speaks_first_a_short_turn_of_the_users_stands_in_front(
    messages: list[Json], turns: list[Turn], prefill: str | None
) -> None:
    assert lowered(*messages) == Conversation((), tuple(turns), prefill)


@pytest.mark.promise("tool-results.ids-by-turn")
def test_an_id_that_two_turns_use_names_the_call_right_before_its_result() -> None:
    one, two = tool("one"), tool("two")
    conversation = lowered(
        user("a"),
        assistant([call("toolu_1", "one")]),
        user([result("toolu_1", "1")]),
        assistant([call("toolu_1", "two")]),
        user([result("toolu_1", "2")]),
        tools=[one, two],
    )
    results = [part for turn in conversation.turns for part in turn.parts if isinstance(part, Result)]
    assert [(each.name, each.text) for each in results] == [("one", "1"), ("two", "2")]


@pytest.mark.promise("conversation.turn-scoped-system")
def test_a_turn_scoped_system_message_holds_until_the_user_speaks_again() -> None:
    scoped = system("for now", clear_at="next_user_message")
    lasting = system("for good", clear_at="never")
    assert lowered(user("a"), scoped).turns == (said("user", "a"), said("system", "for now"))
    answered = lowered(user("a"), scoped, lasting, assistant("b"), user("c"))
    assert answered.turns == (
        said("user", "a"),
        said("system", "for good"),
        said("assistant", "b"),
        said("user", "c"),
    )


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("Be brief.", (Text("Be brief."),)),
        ([text("a"), text(" b ", cache_control={"type": "ephemeral"})], (Text("a"), Text(" b "))),
    ],
)
def test_a_system_prompt_is_one_part_a_block(prompt: Any, parts: tuple[Text, ...]) -> None:
    more = {} if prompt is None else {"system": prompt}
    assert lowered(user("a"), **more).system == parts


def test_a_count_and_a_reply_see_the_same_conversation() -> None:
    request = body(user("a"), assistant("b"), user("c"), system="s")
    counted = parse_count(orjson.dumps({k: v for k, v in request.items() if k != "max_tokens"}), context())
    created = parse_create(orjson.dumps(request), context())
    assert told_of(counted, context()) == told_of(created, context())


def test_an_image_that_nobody_has_read_is_found_here_at_the_latest() -> None:
    request = parse_create(orjson.dumps(body(user([image()]))), context())
    with pytest.raises(AssertionError, match=r"messages\.0\.content\.0: an image has not been read"):
        told_of(request, context())


def test_limits_are_the_request_s() -> None:
    request = parse_create(orjson.dumps(body(max_tokens=0, stop_sequences=["a", " b"])), context())
    assert task_of(asked(request)).limits == Limits(0, ("a", " b"))
    assert task_of(asked(parse_create(orjson.dumps(body()), context()))).limits == Limits(100, ())


def test_sampling_is_the_request_s_and_silence_stays_silence() -> None:
    request = parse_create(orjson.dumps(body(temperature=0, top_p=0.5, top_k=3)), context())
    assert task_of(asked(request)).sampling == Sampling(0.0, 0.5, 3)
    assert task_of(asked(parse_create(orjson.dumps(body()), context()))).sampling == Sampling(None, None, None)


WORDS = st.text(min_size=1, max_size=8).filter(lambda words: words.strip() == words and words != "")

MESSAGES = st.lists(
    st.tuples(st.sampled_from(["user", "assistant"]), st.lists(WORDS, min_size=1, max_size=3)), max_size=8
)


@given(MESSAGES)
def test_no_word_is_lost_and_no_two_turns_in_a_row_are_one_speaker_s(messages: list[tuple[str, list[str]]]) -> None:
    wire = [{"role": role, "content": [text(words) for words in said_]} for role, said_ in messages]
    conversation = lowered(user("first"), *wire)
    turns = conversation.turns
    assert all(one.speaker != two.speaker for one, two in pairwise(turns))
    assert turns[-1].speaker != "assistant"
    spoken = [part.text for turn in turns for part in turn.parts if isinstance(part, Text)]
    sent = ["first", *(words for _, said_ in messages for words in said_)]
    assert "".join(spoken) + (conversation.prefill or "") == "".join(sent)
