"""Conversations of message threads in a Redis or Valkey server that several servers share.

Each is a hash that expires by itself: `state` is `open`, `continued` or the token of a claim, `data` the conversation
under this server's seal. What has to happen at once is a script: the store runs it alone.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as StoreTimeout

from antiphon.ports.system import Entropy
from antiphon.ports.threads import Claim, StoreGone, Unclaimed
from antiphon.seals import NONCE_BYTES, Seals

_log = logging.getLogger("antiphon.threads")

PATIENCE: Final = 3.0
"""Seconds that a request waits for the store."""

REST: Final = 5.0
"""Seconds in which nobody waits for a store that has kept somebody waiting in vain."""

LARGE: Final = 256 * 1024
"""Characters; one that large is sealed and opened in a thread."""

_SCHEMES: Final = {"valkey://": "redis://", "valkeys://": "rediss://"}

_CLAIM: Final = """
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'unknown' end
if state == 'continued' then return 'continued' end
if state ~= 'open' and state ~= ARGV[1] then return 'in flight' end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {redis.call('HGET', KEYS[1], 'data')}
"""

_RELEASE: Final = """
if redis.call('HGET', KEYS[1], 'state') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'state', 'open')
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
"""

_KEEP: Final = """
if KEYS[2] and redis.call('HGET', KEYS[2], 'state') == ARGV[1] then
  redis.call('HSET', KEYS[2], 'state', 'continued')
  redis.call('HDEL', KEYS[2], 'data')
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
if ARGV[3] ~= '' then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'state', 'open', 'data', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
"""


class _Script(Protocol):
    def __call__(self, keys: list[str], args: list[Any]) -> Awaitable[Any]: ...


class RedisThreads:
    """Keeps conversations for `lifetime` seconds from their last use, in the server behind `url`.

    How much room there is says that server's own configuration. Servers that share it must share their seals' keys.
    """

    def __init__(self, url: str, lifetime: float, seals: Seals, entropy: Entropy) -> None:
        for scheme, known in _SCHEMES.items():
            if url.startswith(scheme):
                url = known + url.removeprefix(scheme)
        # One more try, since a connection may have been closed while it lay unused; every script may be run twice.
        self._client = Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - its keywords have no types
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 1)
        )
        self._expires = round(lifetime * 1000)
        self._seals = seals
        self._entropy = entropy
        self._resting = 0.0
        self._later: set[asyncio.Task[None]] = set()
        self._claim = self._script(_CLAIM)
        self._release = self._script(_RELEASE)
        self._keep = self._script(_KEEP)

    async def check(self) -> None:
        """Nothing, where the store answers; else `StoreGone`."""
        await self._run(self._script("return 1"), [], [])

    async def claim(self, tenant: str, id_: str) -> Claim | Unclaimed:
        key, token = _key(tenant, id_), secrets.token_hex(8)
        # What was sent is done, whether anybody waits or not: what nobody waits for is released once it is had.
        claiming = asyncio.create_task(self._run(self._claim, [key], [token, self._expires]))
        try:
            found = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            self._soon(self._unclaim(claiming, Claim(tenant, id_, token, b"")))
            raise
        if not isinstance(found, list):
            return cast("Unclaimed", found.decode())
        (sealed,) = cast("list[bytes | None]", found)
        text = None if sealed is None else await _aside(self._open, key, sealed.decode("ascii", "replace"))
        # What another server sealed with a key of its own is not to be had.
        return "unknown" if text is None else Claim(tenant, id_, token, text.encode())

    async def release(self, claim: Claim) -> None:
        await self._run(self._release, [_key(claim.tenant, claim.id)], [claim.token, self._expires])

    async def keep(self, tenant: str, id_: str, data: bytes | None, claim: Claim | None) -> None:
        key = _key(tenant, id_)
        sealed = None if data is None else await _aside(self._sealed, key, data.decode())
        keys = [key] if claim is None else [key, _key(claim.tenant, claim.id)]
        await self._run(self._keep, keys, ["" if claim is None else claim.token, self._expires, sealed or ""])

    async def aclose(self) -> None:
        await asyncio.gather(*self._later, return_exceptions=True)
        await self._client.aclose()

    def _script(self, text: str) -> _Script:
        return cast("_Script", self._client.register_script(text))

    async def _run(self, script: _Script, keys: list[str], args: list[Any]) -> Any:
        loop = asyncio.get_running_loop()
        if loop.time() < self._resting:
            raise StoreGone("it did not answer a moment ago")
        try:
            async with asyncio.timeout(PATIENCE):
                return await script(keys=keys, args=args)
        except (TimeoutError, StoreTimeout):
            self._resting = loop.time() + REST
            raise StoreGone(f"no answer within {PATIENCE:g} seconds") from None
        except (RedisError, OSError) as problem:
            raise StoreGone(f"{type(problem).__name__}: {problem}") from problem

    def _sealed(self, key: str, text: str) -> str | None:
        try:
            return self._seals.seal_thread(text, key, self._entropy.bytes(NONCE_BYTES))
        except ValueError as problem:
            _log.info("a conversation is not kept: %s", problem)
            return None

    def _open(self, key: str, sealed: str) -> str | None:
        return self._seals.open_thread(sealed, key)

    async def _unclaim(self, claiming: Awaitable[Any], claim: Claim) -> None:
        try:
            await claiming
            await self.release(claim)
        except StoreGone as problem:
            _log.debug("a claim stays until it expires: %s", problem)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _key(tenant: str, id_: str) -> str:
    """Names nothing of either; those of one tenant lie together where a store is spread over several machines."""
    place = hashlib.sha256(tenant.encode()).hexdigest()[:16]
    return f"antiphon:thread:{{{place}}}:{hashlib.sha256(id_.encode()).hexdigest()}"


async def _aside(work: Callable[[str, str], str | None], key: str, text: str) -> str | None:
    return await asyncio.to_thread(work, key, text) if len(text) > LARGE else work(key, text)
