"""What models of each family write is read as what they meant, under every cut."""

from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.dialogue.events import CallArguments, ReasoningDelta, ReplyEvent, TextDelta
from antiphon.render.families import hermes
from antiphon.render.reading.calls import CallReader
from antiphon.render.reading.thoughts import ReasoningReader
from tests.render.families.cases import TOOLS, Transcript, told, transcripts

TRANSCRIPTS = transcripts()


def read(transcript: Transcript, pieces: list[str], *, enforced: bool = True) -> list[ReplyEvent]:
    numbers = count(1)
    calls = CallReader(transcript.family.syntax, TOOLS, lambda: f"toolu_{next(numbers)}", enforced=enforced)
    reasoning = ReasoningReader(transcript.family)
    events = [event for piece in pieces for event in reasoning.read(calls.feed(piece))]
    return [*events, *reasoning.read(calls.finish(cut=False)), *reasoning.finish()]


def read_on(transcript: Transcript, text: str) -> list[ReplyEvent]:
    """What a reply that is still being written has told so far."""
    reader = CallReader(transcript.family.syntax, TOOLS, lambda: "toolu_1", enforced=True)
    return [event for char in text for event in reader.feed(char)]


@pytest.mark.promise("tools.native-formats")
@pytest.mark.parametrize("enforced", [True, False], ids=["enforced", "free"])
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=str)
def test_a_transcript_is_read_as_meant_under_every_cut(transcript: Transcript, enforced: bool):
    text = transcript.text
    assert told(read(transcript, [text], enforced=enforced)) == transcript.told
    assert told(read(transcript, list(text), enforced=enforced)) == transcript.told
    for at in range(1, len(text)):
        assert told(read(transcript, [text[:at], text[at:]], enforced=enforced)) == transcript.told, text[:at]


@pytest.mark.promise("tools.native-formats")
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TRANSCRIPTS), st.lists(st.integers(0, 10_000), max_size=12))
def test_a_transcript_reads_the_same_under_any_cuts(transcript: Transcript, places: list[int]):
    text = transcript.text
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    pieces = [text[a:b] for a, b in pairwise(edges)]
    assert told(read(transcript, pieces)) == transcript.told


@pytest.mark.promise("tools.native-formats")
@pytest.mark.parametrize("transcript", [one for one in TRANSCRIPTS if one.case == "nested"], ids=str)
def test_arguments_come_out_while_they_are_written(transcript: Transcript):
    start = transcript.text.index(" & ") + 3
    pieces = read_on(transcript, transcript.text[:start])
    assert '"東京 &' in "".join(piece.partial_json for piece in pieces if isinstance(piece, CallArguments))


@pytest.mark.promise("tools.calls-inside-reasoning")
def test_a_call_inside_of_reasoning_is_a_call():
    transcript = next(one for one in TRANSCRIPTS if str(one) == "qwen3-coder-one")
    thinking = read(transcript, [f"<think>\nI need the weather.\n{transcript.text}"])
    assert told(thinking) == [["reasoning", "I need the weather."], *transcript.told]


@pytest.mark.promise("tools.calls-inside-reasoning")
def test_markers_inside_of_arguments_are_part_of_them():
    transcript = next(one for one in TRANSCRIPTS if str(one) == "hermes-one")
    text = transcript.text.replace("Paris", "<think>Paris</think>")
    assert told(read(transcript, [text])) == [["call", "get_weather", {"city": "<think>Paris</think>"}]]


def test_reasoning_that_the_prompt_has_opened_needs_no_opening():
    reader = ReasoningReader(hermes.FAMILY, inside=True)
    events = [event for char in "\nA city?\n</think>\n\nParis.\n" for event in reader.read([TextDelta(char)])]
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "A city?"
    assert "".join(e.text for e in [*events, *reader.finish()] if isinstance(e, TextDelta)) == "Paris.\n"


def test_text_without_markers_is_not_touched():
    reader = ReasoningReader(hermes.FAMILY)
    text = "\n  a < b, <thin\n\nend \n"
    events = [event for char in text for event in reader.read([TextDelta(char)])] + reader.finish()
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == text
