"""What a call of a server's tool came to, in the API's blocks: texts and pictures, and words for what is neither."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from mcp import types

_PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

MOST_BLOCKS: Final = 200


def blocks_of(content: Sequence[types.ContentBlock], structured: object) -> list[dict[str, Any]]:
    """The blocks; what is structured only where nothing else is said."""
    blocks = [block for one in content[:MOST_BLOCKS] if (block := _block(one)) is not None]
    if not blocks and structured is not None:
        blocks = [_text(orjson.dumps(structured).decode())]
    if len(content) > MOST_BLOCKS:
        blocks.append(_text(f"[{len(content) - MOST_BLOCKS} more parts are left out]"))
    return blocks


def _block(one: types.ContentBlock) -> dict[str, Any] | None:
    match one:
        case types.TextContent(text=text):
            return _text(text) if text.strip() else None
        case types.ImageContent(data=data, mime_type=kind) if kind in _PICTURES:
            return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}
        case types.EmbeddedResource(resource=types.TextResourceContents(uri=uri, text=text)):
            return _text(f"[{uri}]\n{text}")
        case types.EmbeddedResource(resource=resource):
            return _text(f"[a file that cannot be shown: {resource.uri}, {resource.mime_type or 'of no known type'}]")
        case types.ResourceLink(uri=uri, name=name):
            return _text(f"[a resource: {name}, {uri}]")
        case _:
            return _text(f"[{one.type} that cannot be shown]")


def _text(text: str) -> dict[str, Any]:
    # A half of a surrogate pair is no text, and cannot be sent.
    return {"type": "text", "text": text.encode("utf-8", "replace").decode("utf-8")}
