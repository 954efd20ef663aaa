"""What a request begins with, as a text: those of a batch that begin alike run together, so that caches hit."""

from hashlib import blake2b
from typing import Any, Final, cast

import orjson

_SIZE: Final = 12


def prefix_of(params: dict[str, Any]) -> str:
    """Model, tools and system prompt, and the messages up to the first mark, if there is one."""
    digest = blake2b(digest_size=_SIZE)
    for value in (params.get("model"), params.get("tools"), params.get("system"), _marked(params.get("messages"))):
        digest.update(_bytes(value))
        digest.update(b"\0")
    return digest.hexdigest()


def _marked(messages: object) -> list[object]:
    """The messages up to the first that holds a mark, whose blocks behind that are left out; none where none has."""
    before: list[object] = []
    for message in cast("list[object]", messages) if isinstance(messages, list) else []:
        content = cast("dict[str, object]", message).get("content") if isinstance(message, dict) else None
        blocks = cast("list[object]", content) if isinstance(content, list) else []
        for place, block in enumerate(blocks):
            if isinstance(block, dict) and cast("dict[str, object]", block).get("cache_control"):
                return [*before, blocks[: place + 1]]
        before.append(cast("object", message))
    return []


def _bytes(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # deeper, or a larger number, than it writes; it is refused when it is run
        return b""
