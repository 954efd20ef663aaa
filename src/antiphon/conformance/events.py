"""Server-sent events as a client reads them, and the message that they add up to."""

import json
from dataclasses import dataclass
from typing import Any

from antiphon.conformance.check import Failed, dictionary, expect


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, and its data."""

    name: str
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """Its type, as its data says it."""
        return str(self.data.get("type"))


def events_of(body: bytes) -> list[Event]:
    """The events of a stream; comments are passed over. Raises `Failed` for what no client would read."""
    found: list[Event] = []
    for frame in body.decode(errors="replace").replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in frame.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        fields = [line.partition(":") for line in lines]
        data = "\n".join(value.removeprefix(" ") for name, _, value in fields if name == "data")
        names = [value.strip() for name, _, value in fields if name == "event"]
        try:
            found.append(Event(names[-1] if names else "", dictionary(json.loads(data))))
        except ValueError:
            raise Failed(f"an event's data is no JSON: {data[:200]!r}") from None
    return found


def of_kind(events: list[Event], kind: str) -> list[dict[str, Any]]:
    """The data of the events of one kind."""
    return [event.data for event in events if event.kind == kind]


def only(events: list[Event], kind: str) -> dict[str, Any]:
    """The data of the one event of a kind."""
    found = of_kind(events, kind)
    expect(len(found) == 1, f"there are {len(found)} events of the type {kind}, not one")
    return found[0]


def deltas(events: list[Event]) -> list[tuple[str, dict[str, Any]]]:
    """Each delta with the type of the block that it belongs to."""
    kinds: dict[Any, str] = {}
    found: list[tuple[str, dict[str, Any]]] = []
    for event in events:
        if event.kind == "content_block_start":
            kinds[event.data.get("index")] = str(dictionary(event.data.get("content_block")).get("type"))
        elif event.kind == "content_block_delta":
            found.append((kinds.get(event.data.get("index"), ""), dictionary(event.data.get("delta"))))
    return found


def texts(events: list[Event]) -> str:
    """The text of a stream."""
    return "".join(str(delta.get("text", "")) for _, delta in deltas(events) if delta.get("type") == "text_delta")


def inputs(events: list[Event]) -> list[str]:
    """The input of each call of a stream, as the JSON text that came."""
    found: dict[int, str] = {}
    for event in events:
        if event.kind == "content_block_start":
            block = dictionary(event.data.get("content_block"))
            if block.get("type") == "tool_use":
                found[event.data["index"]] = ""
        elif event.kind == "content_block_delta" and event.data.get("index") in found:
            found[event.data["index"]] += str(dictionary(event.data.get("delta")).get("partial_json", ""))
    return list(found.values())
