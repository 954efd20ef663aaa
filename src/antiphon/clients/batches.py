"""A client of message batches, over HTTP: those of this server, or of any other that speaks the API."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import aiohttp
import orjson

from antiphon.clients.asking import PATIENCE, VERSION, is_loopback, refusal
from antiphon.words import unreached

PATH: Final = "/v1/messages/batches"
PROGRESS: Final = "antiphon-batch-counts"
"""The header in which this server says how far a batch is; another has none."""

_PIECE: Final = 256 * 1024


class BatchError(Exception):
    """It does not work: the server refuses, or cannot be reached, or a file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch as the server tells it, and how many of its requests are done, as far as it says so."""

    batch: dict[str, Any]
    done: int

    @property
    def total(self) -> int:
        """Its requests."""
        return sum(self.batch["request_counts"].values())

    @property
    def ended(self) -> bool:
        """Whether all is done."""
        return self.batch["processing_status"] == "ended"


class BatchClient:
    """Asks one server. Raises `BatchError`."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"x-api-key": key, "anthropic-version": VERSION}

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, key: str) -> AsyncGenerator["BatchClient"]:
        """A client of the server at a URL, for as long as the block lasts."""
        # A large batch takes as long as it takes, a silent server does not.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=not is_loopback(url)) as session:
            yield cls(session, url, key)

    async def submit(self, lines: Iterable[bytes]) -> dict[str, Any]:
        """A new batch of the requests in these lines, each with `custom_id` and `params`; sent as they are read."""

        async def body() -> AsyncIterator[bytes]:
            for piece in _pieces(lines):
                yield piece

        async with self._asked("POST", PATH, data=body()) as reply:
            return orjson.loads(await reply.read())

    async def show(self, id_: str) -> Seen:
        """A batch as it is now."""
        async with self._asked("GET", f"{PATH}/{id_}") as reply:
            batch = cast("dict[str, Any]", orjson.loads(await reply.read()))
            return Seen(batch, _done(batch, reply.headers.get(PROGRESS)))

    async def list(self, limit: int) -> list[dict[str, Any]]:
        """The newest batches."""
        async with self._asked("GET", f"{PATH}?limit={limit}") as reply:
            return orjson.loads(await reply.read())["data"]

    async def cancel(self, id_: str) -> dict[str, Any]:
        """Begin no more of it."""
        async with self._asked("POST", f"{PATH}/{id_}/cancel") as reply:
            return orjson.loads(await reply.read())

    async def delete(self, id_: str) -> None:
        """Take it away."""
        async with self._asked("DELETE", f"{PATH}/{id_}"):
            return

    async def results(self, id_: str, write: Callable[[bytes], object]) -> None:
        """Its results, as they come."""
        batch = (await self.show(id_)).batch
        if batch["results_url"] is None:
            raise BatchError(f"{id_} has no results: it is {batch['processing_status']}")
        async with self._asked("GET", f"{PATH}/{id_}/results") as reply:
            async for data in reply.content.iter_chunked(_PIECE):
                write(data)

    async def watch(
        self, id_: str, told: Callable[[Seen], None], pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(1)
    ) -> Seen:
        """Look at it again and again until it has ended."""
        while True:
            seen = await self.show(id_)
            told(seen)
            if seen.ended:
                return seen
            await pause()

    @asynccontextmanager
    async def _asked(self, method: str, path: str, **given: Any) -> AsyncGenerator[aiohttp.ClientResponse]:
        headers = {**self._headers, "content-type": "application/json"} if "data" in given else self._headers
        try:
            async with self._session.request(method, self._url + path, headers=headers, **given) as reply:
                if reply.status != 200:
                    raise BatchError(refusal(reply.status, await reply.read()))
                yield reply
        except (aiohttp.ClientError, TimeoutError) as problem:
            # The client tells of what went wrong while a body was read out as of a failure to send it.
            cause = problem.__cause__ if isinstance(problem.__cause__, BatchError) else None
            raise cause or BatchError(unreached(self._url, problem)) from problem


def _pieces(lines: Iterable[bytes]) -> Iterable[bytes]:
    """The body of a batch, out of lines."""
    held = bytearray(b'{"requests":[')
    first = True
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        try:
            value: object = orjson.loads(text)
        except orjson.JSONDecodeError as broken:
            raise BatchError(f"line {number}: this is not JSON: {broken}") from None
        if not isinstance(value, dict) or "custom_id" not in value or "params" not in value:
            raise BatchError(f"line {number}: a request is an object with custom_id and params")
        held += text if first else b"," + text
        first = False
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    yield bytes(held + b"]}")


def _done(batch: dict[str, Any], said: str | None) -> int:
    if said is None or batch["processing_status"] == "ended":
        counts = batch["request_counts"]
        return sum(counts.values()) - counts["processing"]
    counts = [part.strip().split("=", 1) for part in said.split(",") if "=" in part]
    return sum(int(count) for kind, count in counts if kind != "total" and count.isdecimal())
