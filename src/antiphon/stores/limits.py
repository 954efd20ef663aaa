"""Buckets in this process."""

from collections.abc import Sequence
from typing import Final

from antiphon.memory import Kept
from antiphon.ports.limits import Draw, Drawn
from antiphon.ports.system import Clock

MINUTE: Final = 60.0

_MOST: Final = 100_000
"""Buckets that are known; the one that was not asked for longest is taken for full."""


class MemoryBuckets:
    """`Buckets` of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: Kept[str, tuple[float, float]] = Kept(_MOST)

    async def draw(self, draws: Sequence[Draw]) -> Drawn | None:
        """Take from all of them or from none."""
        now = self._clock.now()
        levels = [self._level(draw, now) for draw in draws]
        granted = all(level >= draw.need for level, draw in zip(levels, draws, strict=True))
        if granted:
            levels = [self._put(draw, level, now) for draw, level in zip(draws, levels, strict=True)]
        return Drawn(granted, tuple(levels))

    def settle(self, draws: Sequence[Draw]) -> None:
        """Take, whatever they hold."""
        now = self._clock.now()
        for draw in draws:
            self._put(draw, self._level(draw, now), now)

    async def aclose(self) -> None:
        """Nothing is left to be done."""

    def _level(self, draw: Draw, now: float) -> float:
        level, at = self._held.get(draw.bucket) or (float(draw.size), now)
        return min(draw.size, level + max(0.0, now - at) * draw.size / MINUTE)

    def _put(self, draw: Draw, level: float, now: float) -> float:
        left = min(draw.size, level - draw.take)
        self._held.put(draw.bucket, (left, now))
        return left
