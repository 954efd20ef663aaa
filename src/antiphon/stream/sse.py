"""A wire event as the bytes of one server-sent event."""

import re

import msgspec

from antiphon.wire.events import EVENT_TYPES, Event

# Clients that split lines as Unicode text (Python's `splitlines`, httpx) would cut a data line at these.
_LINE_BREAKS = {mark.encode(): f"\\u{ord(mark):04x}".encode() for mark in "\u0085\u2028\u2029"}
_LINE_BREAK = re.compile(b"|".join(_LINE_BREAKS))
_JSON = msgspec.json.Encoder()
_HEADS = {kind: f"event: {kind}\ndata: ".encode() for kind in EVENT_TYPES}

PING = b'event: ping\ndata: {"type": "ping"}\n\n'

WAITING = b": waiting for the model\n\n"
"""Stands for a ping before `message_start`, which official clients take no event before."""


def encode(event: Event) -> bytes:
    """`event: <type>`, `data: <one line of JSON>`, an empty line; UTF-8, no line break inside the data."""
    if event.type == "ping":
        return PING
    data = _JSON.encode(event)
    if not data.isascii():
        data = _LINE_BREAK.sub(lambda found: _LINE_BREAKS[found[0]], data)
    return _HEADS[event.type] + data + b"\n\n"
