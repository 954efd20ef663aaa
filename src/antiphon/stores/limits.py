"""Buckets in this process."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from antiphon.ports.limits import Draw, Drawn
from antiphon.ports.system import Clock

MINUTE: Final = 60.0

_MOST: Final = 100_000
"""Buckets that are known; the one that was not asked for longest is taken for full."""


class MemoryBuckets:
    """`Buckets` of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def draw(self, draws: Sequence[Draw]) -> Drawn | None:
        """Take from all of them or from none."""
        now = self._clock.now()
        levels: list[float] = []
        granted = True
        for draw in draws:
            level = self._level(draw, now)
            granted = granted and level >= draw.need
            levels.append(level)
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
        held = self._held.get(draw.bucket)
        if held is None:
            return float(draw.size)
        self._held.move_to_end(draw.bucket)
        level, at = held
        if now > at:
            level += (now - at) * draw.size / MINUTE
        return level if level < draw.size else draw.size

    def _put(self, draw: Draw, level: float, now: float) -> float:
        left = level - draw.take
        if left > draw.size:
            left = draw.size
        held = self._held
        held[draw.bucket] = left, now
        if len(held) > _MOST:
            held.popitem(last=False)
        return left
