"""What models write in a thought, and behind it once it is closed, is read as what they meant, under every cut."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from antiphon.dialogue.events import ReasoningDelta, ReplyEvent
from antiphon.render.families.syntax import Family
from antiphon.render.reading.calls import CallReader
from antiphon.render.reading.reply import ReplyReader
from antiphon.render.reading.thoughts import ReasoningReader
from tests.render.families.cases import TOOLS, told
from tests.render.families.thinking.models import ASKED, HERE, MODELS, Model, closed
from tests.render.families.thinking.models import told as prompt


@dataclass(frozen=True, slots=True)
class Transcript:
    """`thought`: the first stretch, up to its closing or its budget; `answer`: the second, behind the closing."""

    model: Model
    number: int
    thought: str
    answer: str
    told: list[Any]

    def __str__(self) -> str:
        return f"{self.model}-{self.number}"


FOUND = json.loads((HERE / "transcripts.json").read_text(encoding="utf-8"))
TRANSCRIPTS = [Transcript(model, number, *case) for model in MODELS for number, case in enumerate(FOUND[model.name])]


def reader(family: Family, *, inside: bool) -> ReplyReader:
    numbers = count(1)
    calls = None if inside else CallReader(family.syntax, TOOLS, lambda: f"toolu_{next(numbers)}")
    thoughts = ReasoningReader(family, inside=inside, behind=not inside)
    return ReplyReader((), calls, thoughts, tells_thoughts=True)


def read(read_by: ReplyReader, pieces: Sequence[str]) -> list[Any]:
    events: list[ReplyEvent] = [event for piece in pieces for event in read_by.feed(piece)]
    events += read_by.finish()
    # One run each, as the empty delta before it says.
    runs: list[list[ReplyEvent]] = [[]]
    for event in events:
        if event == ReasoningDelta(""):
            runs.append([])
        else:
            runs[-1].append(event)
    return [part for run in runs for part in told(run)]


def cuts(text: str) -> list[list[str]]:
    return [[text], list(text), *([text[:at], text[at:]] for at in range(1, len(text)))]


@pytest.mark.promise("thinking.native-formats")
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=str)
def test_an_answer_behind_a_thought_is_read_as_meant_under_every_cut(transcript: Transcript) -> None:
    family = transcript.model.builder.family
    for pieces in cuts(transcript.answer):
        assert read(reader(family, inside=False), pieces) == transcript.told, pieces


@pytest.mark.promise("thinking.native-formats")
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=str)
def test_a_thought_and_its_closing_are_read_as_the_thought(transcript: Transcript) -> None:
    builder, thought = transcript.model.builder, transcript.thought
    whole = thought + closed(builder, thought)
    meant = [["reasoning", thought.strip()]] if thought.strip() else []
    for pieces in cuts(whole):
        one = reader(builder.family, inside=True)
        assert one.thinks
        assert read(one, pieces) == meant, pieces
        assert not one.thinks


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_closing_is_where_an_engine_stops(model: Model) -> None:
    builder = model.builder
    assert builder.thought_closings[0] in closed(builder, "Hm.")
    assert not any(closing in prompt(builder, ASKED)[-20:] for closing in builder.thought_closings)
