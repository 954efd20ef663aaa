"""Which conversations another model has answered, so that it is asked at once when they go on.

Digests are kept, and no word of what was said. It is a convenience: what is forgotten costs one more attempt.
Source: Refusals and fallback page, sticky routing.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final, cast

from antiphon.memory import Kept
from antiphon.ports.system import Clock
from antiphon.request.attribution import without_attribution
from antiphon.wire.request import CreateMessage

LIFETIME: Final = 3600.0
"""Seconds."""

_MOST: Final = 100_000
_SIZE: Final = 16


class Sticky:
    """Remembers conversations by the keys that `keys_of` has for them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._served: Kept[bytes, tuple[str, float]] = Kept(_MOST)

    def find(self, keys: Sequence[bytes]) -> str | None:
        """The model that answered the longest part of the conversation that is known; None: the one it asks for."""
        now = self._clock.now()
        for key in reversed(keys):
            found = self._served.get(key)
            if found is not None and now < found[1]:
                return found[0]
        return None

    def keep(self, keys: Sequence[bytes], served: str) -> None:
        """This model has answered it in place of the one that it asks for."""
        self._served.put(keys[-1], (served, self._clock.now() + LIFETIME))


def keys_of(tenant: str, model: str, request: CreateMessage) -> list[bytes]:
    """What a conversation is known by: a digest for each message with which it may have been sent before."""
    digest = blake2b(_spelled([tenant, model]), digest_size=_SIZE)
    system = request.system
    if system is not None:
        said = [system] if isinstance(system, str) else [block.text for block in system]
        digest.update(_spelled([text for text in map(without_attribution, said) if text]))
    keys: list[bytes] = []
    for message in request.messages:
        content = message.content
        blocks: list[Any] = [{"type": "text", "text": content}] if isinstance(content, str) else []
        if isinstance(content, list):
            blocks = [_bare(block.model_dump(by_alias=True, exclude_none=True)) for block in content]
        digest.update(_spelled([message.role, blocks]))
        keys.append(digest.digest())
    return keys


def _bare(value: Any) -> Any:
    """The value without marks, which move from turn to turn."""
    if isinstance(value, list):
        return [_bare(one) for one in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in cast("dict[str, Any]", value).items() if name != "cache_control"}
    return value


def _spelled(value: Any) -> bytes:
    # The standard library's: whole numbers of any size come back from clients.
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
