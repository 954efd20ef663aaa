"""Prompts that engines were lost with before they answered, so that none of them goes through a whole fleet."""

from array import array
from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from antiphon.ports.engine import Generation

MOST_LOSSES: Final = 2
"""So many engines, or one engine so often, are lost with the same work before it is sent no more."""

REMEMBERED: Final = 60.0
"""Seconds from the last loss after which it may be tried again: engines are also lost for reasons of their own."""

_MOST_KNOWN: Final = 1000


class Poison:
    """What is known of works that were lost. Every method is told the time, in seconds of any one clock."""

    def __init__(self) -> None:
        self._losses: OrderedDict[bytes, tuple[int, float]] = OrderedDict()

    def lost(self, work: Generation, now: float) -> None:
        """An engine was lost that had this work, and had not answered."""
        self._forget(now)
        name = _name(work)
        times, _ = self._losses.pop(name, (0, now))
        self._losses[name] = times + 1, now
        if len(self._losses) > _MOST_KNOWN:
            self._losses.popitem(last=False)

    def survived(self, work: Generation) -> None:
        """An engine has begun its reply to this work: it is not what the others were lost of."""
        if self._losses:
            self._losses.pop(_name(work), None)

    def holds(self, work: Generation, now: float) -> bool:
        """Whether this work is not to be sent now."""
        self._forget(now)
        if not self._losses:
            return False
        times, _ = self._losses.get(_name(work), (0, now))
        return times >= MOST_LOSSES

    def _forget(self, now: float) -> None:
        while self._losses and next(iter(self._losses.values()))[1] + REMEMBERED <= now:
            self._losses.popitem(last=False)


def _name(work: Generation) -> bytes:
    """The same for works of the same prompt, whoever sends them."""
    named = blake2b(array("q", work.prompt.tokens).tobytes(), digest_size=16)
    for segment in work.prompt.segments:
        if segment.image is not None:
            named.update(segment.image.data)
    named.update(repr((work.grammar, work.stops)).encode("utf-8", "replace"))
    return named.digest()
