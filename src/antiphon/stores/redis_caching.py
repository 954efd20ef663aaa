"""The cache ledger in a Redis or Valkey server that several servers share: what one has marked, all of them know.

A prefix is a key that expires by itself, whose value is for how many seconds it is kept from each reading on. Who
finds the store gone goes on with what this process has seen itself: then a prefix that another one has marked is told
as written, and nothing waits.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from antiphon.ports.caching import Entry
from antiphon.stores.caching import MemoryLedger

_log = logging.getLogger("antiphon.caching")

PATIENCE: Final = 1.0
"""Seconds that a request waits for the store."""

REST: Final = 5.0
"""Seconds in which nobody waits for a store that has kept somebody waiting in vain."""

_SCHEMES: Final = {"valkey://": "redis://", "valkeys://": "rediss://"}

_FIND: Final = """
for at, key in ipairs(KEYS) do
  local seconds = redis.call('GET', key)
  if seconds then
    redis.call('EXPIRE', key, seconds)
    return {at, tonumber(seconds)}
  end
end
return {}
"""

_KEEP: Final = """
for at, key in ipairs(KEYS) do
  local seconds = tonumber(ARGV[at])
  local known = tonumber(redis.call('GET', key) or '0')
  if known > seconds then seconds = known end
  redis.call('SET', key, seconds, 'EX', seconds)
end
"""


class _Script(Protocol):
    def __call__(self, keys: list[str], args: list[Any]) -> Awaitable[Any]: ...


class RedisLedger:
    """A `Ledger` in the server behind `url`, whose clock counts the time. `own`: what is known where it is gone."""

    def __init__(self, url: str, own: MemoryLedger) -> None:
        for scheme, known in _SCHEMES.items():
            if url.startswith(scheme):
                url = known + url.removeprefix(scheme)
        self._client = Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - its keywords have no types
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 1)
        )
        self._own = own
        self._resting = 0.0
        self._find = cast("_Script", self._client.register_script(_FIND))
        self._keep = cast("_Script", self._client.register_script(_KEEP))

    async def find(self, keys: Sequence[bytes], now: float) -> int | None:
        """The first of the keys that is known, to any server or to this one; its time begins anew."""
        known = await self._run(self._find, keys, [])
        mine = await self._own.find(keys, now)
        places = [place for place in (known[0] - 1 if known else None, mine) if place is not None]
        return min(places, default=None)

    async def keep(self, entries: Sequence[Entry], since: float) -> None:
        """Know these prefixes from now on, in all servers."""
        await self._own.keep(entries, since)
        await self._run(self._keep, [entry.key for entry in entries], [entry.seconds for entry in entries])

    async def aclose(self) -> None:
        """Leave the server."""
        await self._client.aclose()

    async def _run(self, script: _Script, keys: Sequence[bytes], args: list[Any]) -> list[int]:
        loop = asyncio.get_running_loop()
        if loop.time() < self._resting or not keys:
            return []
        try:
            async with asyncio.timeout(PATIENCE):
                return await script(keys=[f"antiphon:prefix:{key.hex()}" for key in keys], args=args) or []
        except (TimeoutError, RedisError, OSError) as problem:
            self._resting = loop.time() + REST
            _log.warning(
                "what other servers have marked is not known for a while: %s: %s", type(problem).__name__, problem
            )
            return []
