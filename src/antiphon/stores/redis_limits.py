"""Buckets in a Redis or Valkey server that several processes share; its clock counts the time.

Where it is gone nothing is limited, and the owner is told.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from antiphon.ports.limits import Draw, Drawn

_log = logging.getLogger("antiphon.limits")

PATIENCE: Final = 1.0
"""Seconds that a request waits for the store."""

REST: Final = 5.0
"""Seconds in which nobody waits for a store that has kept somebody waiting in vain."""

_MOST_SETTLING: Final = 1000

_SCHEMES: Final = {"valkey://": "redis://", "valkeys://": "rediss://"}

# A level is told as text: a number would lose what is behind its point.
_DRAW: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local levels, granted = {}, 1
for at, key in ipairs(KEYS) do
  local size, need = tonumber(ARGV[at * 3 - 2]), tonumber(ARGV[at * 3 - 1])
  local held = redis.call('HMGET', key, 'level', 'at')
  local level = size
  if held[1] then
    level = math.min(size, tonumber(held[1]) + math.max(0, now - tonumber(held[2])) * size / 60)
  end
  if level < need then granted = 0 end
  levels[at] = level
end
for at, key in ipairs(KEYS) do
  local size, take = tonumber(ARGV[at * 3 - 2]), tonumber(ARGV[at * 3])
  if granted == 1 then
    levels[at] = math.min(size, levels[at] - take)
    redis.call('HSET', key, 'level', string.format('%.6f', levels[at]), 'at', string.format('%.6f', now))
    redis.call('EXPIRE', key, math.ceil((size - levels[at]) * 60 / size) + 60)
  end
  levels[at] = string.format('%.6f', levels[at])
end
return {granted, levels}
"""

_ALWAYS: Final = -1e300


class _Script(Protocol):
    def __call__(self, keys: list[str], args: list[Any]) -> Awaitable[Any]: ...


class RedisBuckets:
    """`Buckets` in the server behind `url`."""

    def __init__(self, url: str) -> None:
        for scheme, known in _SCHEMES.items():
            if url.startswith(scheme):
                url = known + url.removeprefix(scheme)
        self._client = Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - its keywords have no types
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 1)
        )
        self._script = cast("_Script", self._client.register_script(_DRAW))
        self._resting = 0.0
        self._settling: set[asyncio.Task[Drawn | None]] = set()

    async def draw(self, draws: Sequence[Draw]) -> Drawn | None:
        """Take from all of them or from none; None where the server does not answer."""
        return await self._run(draws, [draw.need for draw in draws])

    def settle(self, draws: Sequence[Draw]) -> None:
        """Take, whatever they hold, beside all else."""
        if len(self._settling) < _MOST_SETTLING:
            task = asyncio.create_task(self._run(draws, [_ALWAYS] * len(draws)))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

    async def aclose(self) -> None:
        """Settle what is to be settled, and leave the server."""
        if self._settling:
            await asyncio.wait(self._settling, timeout=PATIENCE)
        await self._client.aclose()

    async def _run(self, draws: Sequence[Draw], needs: Sequence[float]) -> Drawn | None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._resting:
            return None
        args = [part for draw, need in zip(draws, needs, strict=True) for part in (draw.size, need, draw.take)]
        try:
            async with asyncio.timeout(PATIENCE):
                granted, levels = await self._script(keys=[f"antiphon:limit:{d.bucket}" for d in draws], args=args)
        except (TimeoutError, RedisError, OSError) as problem:
            self._resting = loop.time() + REST
            _log.warning("nothing is limited for a while: %s: %s", type(problem).__name__, problem)
            return None
        return Drawn(bool(granted), tuple(map(float, levels)))
