"""Tools, calls and texts for tests of the call readers and grammars."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from antiphon.dialogue.events import CallArguments, CallEnd, CallStart, ReplyEvent, TextDelta
from antiphon.dialogue.tools import Tool
from antiphon.render.families.syntax import CallSyntax
from antiphon.render.reading.calls import CallReader

WEATHER = Tool(
    "get_weather",
    "The weather of a place.",
    {
        "type": "object",
        "properties": {
            "location": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "hours": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["location"],
    },
)
CLOCK = Tool("get_time", "The time.", {"type": "object", "properties": {}, "additionalProperties": False})
OPEN = Tool("anything", "", {"type": "object"})
TOOLS = (WEATHER, CLOCK, OPEN)


def read(
    syntax: CallSyntax,
    pieces: Sequence[str],
    *,
    tools: Sequence[Tool] = TOOLS,
    cut: bool = False,
    enforced: bool = True,
    forced: bool = False,
    named: str | None = None,
) -> list[ReplyEvent]:
    """The events of a reply, pieces of one text or one input joined; ids count up from `id0`."""
    ids = iter(range(len("".join(pieces)) + 1))
    reader = CallReader(syntax, tools, lambda: f"id{next(ids)}", enforced=enforced, forced=forced, named=named)
    events: list[ReplyEvent] = []
    for piece in pieces:
        events += reader.feed(piece)
    events += reader.finish(cut=cut)
    joined: list[ReplyEvent] = []
    for event in events:
        last = joined[-1] if joined else None
        match last, event:
            case TextDelta(text=before), TextDelta(text=text):
                joined[-1] = TextDelta(before + text)
            case CallArguments(partial_json=before), CallArguments(partial_json=piece):
                joined[-1] = CallArguments(before + piece)
            case _:
                joined.append(event)
    return joined


def text_of(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def called(name: str, arguments: str, number: int = 0) -> list[ReplyEvent]:
    """The events of one whole call."""
    return [CallStart(f"id{number}", name), CallArguments(arguments), CallEnd()]


def cuts(text: str) -> st.SearchStrategy[list[str]]:
    """The text in pieces, cut anywhere."""
    places = st.lists(st.integers(0, len(text)), max_size=12).map(sorted)
    return places.map(lambda at: [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True)])


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text("abcxyz_-0", min_size=1, max_size=6)
SCHEMAS: st.SearchStrategy[Any] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array"},
        {"type": "object"},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        {"enum": ["a", 1, None]},
        {"const": "x"},
        {"$ref": "#/$defs/thing"},
        {},
        True,
    ]
)


@st.composite
def tools(draw: st.DrawFn) -> tuple[Tool, ...]:
    """A few tools with random parameters."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    made: list[Tool] = []
    for name in names:
        properties = draw(st.dictionaries(NAMES, SCHEMAS, max_size=4))
        required = [key for key in properties if draw(st.booleans())]
        schema = {
            "type": "object",
            "properties": properties,
            "required": required,
            "$defs": {"thing": {"type": ["string", "integer"]}},
        }
        made.append(Tool(name, "", schema))
    return tuple(made)
