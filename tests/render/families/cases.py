"""The native families, four tools, and what models of each family write: text on one side, events on the other."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from antiphon.dialogue.events import CallArguments, CallEnd, CallStart, ReasoningDelta, ReplyEvent, TextDelta
from antiphon.dialogue.tools import Tool
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.render.families.syntax import Family

HERE: Final = Path(__file__).parent
NATIVE: Final = tuple(family for family in FAMILIES if family is not UNIVERSAL)
TOOLS: Final = (
    Tool(
        name="get_weather",
        description="The weather of a city, now.",
        schema={
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
        },
    ),
    Tool(name="get_time", description="The time.", schema={"type": "object", "properties": {}}),
    Tool(
        name="search",
        description="Finds articles.",
        schema={
            "type": "object",
            "properties": {
                "query": {"type": "string"},
                "filters": {
                    "type": "object",
                    "properties": {
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "since": {"type": "integer"},
                        "deep": {"type": "boolean"},
                    },
                },
                "limit": {"type": "integer"},
            },
            "required": ["query"],
        },
    ),
    Tool(
        name="write_file",
        description="Writes a file.",
        schema={
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"],
        },
    ),
)

Told = list[Any]
"""`["text", …]`, `["reasoning", …]` or `["call", NAME, INPUT]`."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One reply as the model wrote it, and what it holds."""

    family: Family
    case: str
    text: str
    told: list[Told]

    def __str__(self) -> str:
        return f"{self.family.name}-{self.case}"

    @property
    def calls(self) -> list[Told]:
        """The calls alone."""
        return [told for told in self.told if told[0] == "call"]


def transcripts() -> list[Transcript]:
    """Every transcript of every family. A file ends with a line break that the model did not write."""
    found: list[Transcript] = []
    for family in NATIVE:
        folder = HERE / "transcripts" / family.name
        for case, told in json.loads((folder / "expected.json").read_text(encoding="utf-8")).items():
            text = (folder / f"{case}.txt").read_bytes().decode()
            found.append(Transcript(family, case, text.removesuffix("\n"), told))
    return found


def told(events: Iterable[ReplyEvent]) -> list[Told]:
    """The events as transcripts tell them: pieces joined, white space around texts dropped, empty texts left out."""
    found: list[Told] = []
    for event in events:
        match event:
            case TextDelta(text):
                _join(found, "text", text)
            case ReasoningDelta(text):
                _join(found, "reasoning", text)
            case CallStart(_, name):
                found.append(["call", name, ""])
            case CallArguments(piece):
                found[-1][2] += piece
            case CallEnd():
                found[-1][2] = json.loads(found[-1][2])
            case _:
                raise AssertionError(event)
    for told in found:
        if told[0] != "call":
            told[1] = told[1].strip()
    return [told for told in found if told[1]]


def _join(found: list[Told], kind: str, text: str) -> None:
    if found and found[-1][0] == kind:
        found[-1][1] += text
    else:
        found.append([kind, text])
