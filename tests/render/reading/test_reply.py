"""What a reply is made of, behind calls, reasoning and stop sequences."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.events import (
    CallArguments,
    CallEnd,
    CallStart,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
)
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.render.reading.calls import CallReader
from antiphon.render.reading.reply import ReplyReader
from antiphon.render.reading.thoughts import ReasoningReader
from tests.render.tool_cases import TOOLS, cuts

CALL = (
    '<function_calls>\n<invoke name="get_weather">\n<parameter name="location">San Francisco</parameter>\n</invoke>'
)

NAMED = {family.name: family for family in FAMILIES}


def reader(*stops: str, members: dict[str, tuple[str, str]] | None = None) -> ReplyReader:
    return ReplyReader(stops, CallReader(UNIVERSAL.syntax, TOOLS, lambda: "id"), members=members or {})


def through(read: ReplyReader, pieces: Sequence[str]) -> list[ReplyEvent]:
    events: list[ReplyEvent] = []
    for piece in pieces:
        if read.over:
            break
        events += read.feed(piece)
    return events if read.stop_sequence is not None else events + read.finish()


def joined(events: Sequence[ReplyEvent]) -> tuple[str, str]:
    """All text, and all pieces of inputs."""
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return text, "".join(event.partial_json for event in events if isinstance(event, CallArguments))


@pytest.mark.promise("stops.inside-calls")
@given(data=st.data())
@pytest.mark.parametrize(
    ("stop", "text", "json"),
    [
        ("Fran", "Hm.\n", '{"location": "San '),
        ("invoke", "Hm.\n", '{"location": "San Francisco"}'),
        ("parameter", "Hm.\n", '{"location": "San Francisco"}'),
        ("m.", "H", ""),
        # what stands on both sides of a call is not one text
        ("\nDone", "Hm.\n", '{"location": "San Francisco"}'),
    ],
)
def test_stop_sequences_are_found_in_what_the_client_sees(
    data: st.DataObject, stop: str, text: str, json: str
) -> None:
    read = reader(stop)
    events = through(read, data.draw(cuts(f"Hm.\n{CALL}\n</function_calls>Done")))
    assert joined(events) == (text, json)
    assert (read.stop_sequence == stop) == (stop in ("Fran", "m."))
    starts = sum(isinstance(event, CallStart) for event in events)
    assert starts == sum(isinstance(event, CallEnd) for event in events)
    assert read.has_called == (starts > 0)


def test_reasoning_that_nobody_asked_for_is_not_told() -> None:
    read = ReplyReader((), None, ReasoningReader(NAMED["hermes"]))
    assert joined(through(read, ["<think>Hm", "m</thi", "nk>\n\nYes", "."])) == ("Yes.", "")


def runs(events: Sequence[ReplyEvent]) -> list[str]:
    """What the events say, in order: a letter for the kind, and pieces of one kind joined."""
    told: list[str] = []
    for event in events:
        match event:
            case ReasoningDelta(text=""):
                told.append("r:")
            case ReasoningDelta(text=text):
                told[-1] += text
            case TextDelta(text=text):
                told += [] if told and told[-1].startswith("t:") else ["t:"]
                told[-1] += text
            case CallStart(name=name):
                told.append(f"c:{name}")
            case _:
                pass
    return told


HM = "<think>\n Hm.\n\n</think>\n\n"


@pytest.mark.promise("thinking.order")
@given(data=st.data())
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HM}Yes.", ["r:Hm.", "t:Yes."]),
        (f"Yes.\n{HM}No.", ["t:Yes.", "r:Hm.", "t:No."]),
        (f"{HM}{HM}Yes.", ["r:Hm.", "r:Hm.", "t:Yes."]),
        ("<think>\n\n</think>\n\nYes.", ["t:Yes."]),
        ("<think>Hm. </thin", ["r:Hm. </thin"]),
        (
            '<think>Now.<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>\n<think>So.</think>Nine.',
            ["r:Now.", "c:get_time"],
        ),
    ],
)
def test_reasoning_is_told_in_its_place(data: st.DataObject, text: str, told: list[str]) -> None:
    family = NAMED["hermes"]
    calls = CallReader(family.syntax, TOOLS, lambda: "id")
    read = ReplyReader((), calls, ReasoningReader(family), tells_thoughts=True)
    assert runs(through(read, data.draw(cuts(text)))) == told


TIME = '<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>\n'


@pytest.mark.promise("output.calls-last")
@given(data=st.data())
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"Well.\n{TIME}{TIME}", ["t:Well.\n", "c:get_time", "c:get_time"]),
        (f"{TIME}It is nine.", ["c:get_time"]),
        (f"{TIME}It is nine. {TIME}", ["c:get_time"]),
        (f"{TIME}\n \n{TIME}Nine.\n{TIME}", ["c:get_time", "c:get_time"]),
        (f"{TIME}<think>\n\n</think>\n\n{TIME}", ["c:get_time", "c:get_time"]),
        (f"{TIME}<think>So.</think>{TIME}Nine.", ["c:get_time"]),
        (f'{TIME}<tool_call>\n{{"name": "nobody", "arguments": {{}}}}\n</tool_call>\n{TIME}', ["c:get_time"]),
    ],
)
def test_a_reply_ends_with_its_calls_at_the_first_word_behind_them(
    data: st.DataObject, text: str, told: list[str]
) -> None:
    family = NAMED["hermes"]
    calls = CallReader(family.syntax, TOOLS, lambda: "id")
    read = ReplyReader((), calls, ReasoningReader(family), tells_thoughts=True)
    said = [each for each in runs(through(read, data.draw(cuts(text)))) if each.strip("t:\n ")]
    assert said == told
    assert read.over == (text.replace(TIME, "").replace("<think>\n\n</think>", "").strip() not in ("", "Well."))


@pytest.mark.promise("output.calls-last")
@given(data=st.data())
def test_reasoning_that_is_not_told_ends_no_reply(data: st.DataObject) -> None:
    family = NAMED["hermes"]
    calls = CallReader(family.syntax, TOOLS, lambda: "id")
    read = ReplyReader((), calls, ReasoningReader(family))
    pieces = data.draw(cuts(f"{TIME}<think>So.</think>{TIME}"))
    assert runs(through(read, pieces)) == ["c:get_time", "c:get_time"]


@pytest.mark.promise("stops.matched-and-cut")
@given(data=st.data())
def test_white_space_behind_a_call_still_ends_a_reply_that_is_to_stop_there(data: st.DataObject) -> None:
    family = NAMED["hermes"]
    read = ReplyReader(("\n\n\n",), CallReader(family.syntax, TOOLS, lambda: "id"))
    through(read, data.draw(cuts(f"{TIME}\n\n\n\nNine.")))
    assert read.stop_sequence == "\n\n\n"


@given(data=st.data())
def test_stop_sequences_are_not_found_in_reasoning(data: st.DataObject) -> None:
    read = ReplyReader(("Hm", "es", "Yen"), None, ReasoningReader(NAMED["hermes"]), tells_thoughts=True)
    assert runs(through(read, data.draw(cuts(f"Ye{HM}no Yes")))) == ["t:Ye", "r:Hm.", "t:no Y"]
    assert read.stop_sequence == "es"


@pytest.mark.promise("thinking.every-model")
@given(data=st.data())
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n\nYes <thinking>, no", ["t:Yes <thinking>, no"]),
        ("<thinking>\nHm.</thinking>\nYes.", ["r:Hm.", "t:Yes."]),
        ("<thinking>Hm.</thinking><thinking>So.</thinking>Yes.", ["r:Hm.", "r:So.", "t:Yes."]),
    ],
)
def test_a_model_that_does_not_reason_by_nature_may_think_again_behind_its_thought(
    data: st.DataObject, text: str, told: list[str]
) -> None:
    pieces = data.draw(cuts(text))
    behind = ReplyReader((), None, ReasoningReader(UNIVERSAL, behind=True), tells_thoughts=True)
    inside = ReplyReader((), None, ReasoningReader(UNIVERSAL, inside=True), tells_thoughts=True)
    elsewhere = ReplyReader((), None, ReasoningReader(UNIVERSAL), tells_thoughts=True)
    assert runs(through(behind, pieces)) == told
    assert runs(through(inside, ["First.\n", "</thinking>\n", *pieces])) == ["r:First.", *told]
    assert runs(through(elsewhere, pieces)) == [f"t:{text}"]


def test_a_reader_says_whether_the_model_thinks() -> None:
    read = ReplyReader((), None, ReasoningReader(NAMED["hermes"]), tells_thoughts=True)
    assert not read.thinks
    told = ["Yes.", " <thi", "nk>", "Hm.", "</think", ">", "No."]
    assert [bool(read.feed(piece)) and read.thinks for piece in told] == [
        False,
        False,
        False,
        True,
        False,
        False,
        False,
    ]
    read.feed("<think>")
    assert read.thinks
    assert ReplyReader(thoughts=ReasoningReader(UNIVERSAL, inside=True)).thinks


def test_a_call_inside_of_reasoning_is_a_call() -> None:
    family = NAMED["hermes"]
    calls = CallReader(family.syntax, TOOLS, lambda: "id")
    read = ReplyReader((), calls, ReasoningReader(family, inside=True))
    text = 'I call it now.\n<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>'
    assert through(read, [text]) == [CallStart("id", "get_time"), CallArguments("{}"), CallEnd()]


@pytest.mark.promise("tools.toolset-members")
@given(cuts(f"{CALL}\n</function_calls>"))
def test_a_member_s_call_names_its_toolset_and_its_input_is_one_piece(pieces: list[str]) -> None:
    events = through(reader(members={"get_weather": ("computer", "look")}), pieces)
    assert events == [
        CallStart("id", "look", "computer"),
        CallArguments('{"location": "San Francisco"}'),
        CallEnd(),
    ]
