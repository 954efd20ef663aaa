"""Requests and values that checks of several subjects use."""

import base64
import struct
import zlib
from typing import Any, Final

STOP_REASONS: Final = (
    *("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"),
    *("model_context_window_exceeded", "compaction"),
)
PROBE: Final[dict[str, Any]] = {
    "name": "conformance_probe",
    "description": "Takes a colour.",
    "input_schema": {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["red", "green"]}},
        "required": ["colour"],
    },
}


def user(text: str) -> dict[str, Any]:
    """A conversation of one turn."""
    return {"messages": [{"role": "user", "content": text}]}


LETTERS: Final[dict[str, Any]] = {
    **user("Write a sentence about letters."),
    "stop_sequences": ["e", "a", "o", "t", "n"],
}
"""A request that nearly every text in a Latin alphabet is stopped by; what holds for others holds here too."""

FORCED: Final[dict[str, Any]] = {
    **user("Call the tool with a colour."),
    "max_tokens": 200,
    "tools": [PROBE],
    "tool_choice": {"type": "tool", "name": PROBE["name"]},
}


def png(width: int = 32, height: int = 32) -> str:
    """A picture, in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xc8\x20\x20" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def picture(data: str, media_type: str = "image/png") -> dict[str, Any]:
    """A picture as a block."""
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def shown(*content: dict[str, Any]) -> dict[str, Any]:
    """A conversation of one turn with blocks."""
    return {"messages": [{"role": "user", "content": list(content)}]}
