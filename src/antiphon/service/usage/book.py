"""Keeps what requests came to: written behind the replies, many at a time."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

from antiphon.ports.stores import StoreError
from antiphon.ports.usage import UsageQuery, UsageRecord, UsageStore, UsageSum

log = logging.getLogger(__name__)

MOST_WAITING: Final = 100_000
"""Records that wait while the store is gone; what comes then is lost, and the log says how much."""

_AT_ONCE: Final = 1000
_TRIES: Final = 10
_PAUSE: Final = 1.0


class UsageBook:
    """Takes records without ever waiting, and writes them in the background from `start` to `aclose`."""

    def __init__(self, store: UsageStore, pause: float = _PAUSE, most: int = MOST_WAITING) -> None:
        self._store = store
        self._pause = pause
        self._most = most
        self._waiting: deque[UsageRecord] = deque()
        self._noted = self._written = self._lost = 0
        self._turn = asyncio.Lock()
        self._closing = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Write from now on."""
        self._writing = asyncio.create_task(self._write())

    def note(self, record: UsageRecord) -> None:
        """Keep it, soon."""
        if len(self._waiting) >= self._most:
            self._lost += 1
            return
        self._waiting.append(record)
        self._noted += 1

    async def flush(self) -> bool:
        """Write what waits now, and not what comes meanwhile; False: the store would not, and it goes on waiting."""
        upto = self._noted
        async with self._turn:
            if self._lost:
                log.error("usage: %d records are lost, too many waited for the store", self._lost)
                self._lost = 0
            while self._written < upto:
                some = [self._waiting[each] for each in range(min(_AT_ONCE, upto - self._written))]
                try:
                    await self._add(some)
                except StoreError as problem:
                    log.warning("usage: the store would not, %d records wait: %s", len(self._waiting), problem)
                    return False
                for _ in some:
                    self._waiting.popleft()
                self._written += len(some)
            return True

    async def sums(self, query: UsageQuery) -> Sequence[UsageSum]:
        """Sums over all that was noted here until now, and what others have written. Raises `StoreError`."""
        await self.flush()
        return await self._store.sums(query)

    async def written(self, query: UsageQuery) -> Sequence[UsageSum]:
        """Sums over what is in the store already. Raises `StoreError`."""
        return await self._store.sums(query)

    async def forget(self, before: int) -> None:
        """Take out what is older. Raises `StoreError`."""
        await self._store.forget(before)

    async def aclose(self) -> None:
        """No record comes any more: write what waits. What the store will not have now is lost, and said in the
        log."""
        self._closing.set()
        if self._writing is not None:
            await self._writing
        if not await self.flush():
            log.error("usage: %d records are lost, the store would not have them at the end", len(self._waiting))

    async def _add(self, some: Sequence[UsageRecord]) -> None:
        try:
            await self._store.add(some)
        except StoreError:
            raise
        except Exception as problem:
            await self._sort_out(some, problem)

    async def _sort_out(self, some: Sequence[UsageRecord], problem: Exception) -> None:
        """One that no store takes must not keep the others from being written; where it takes none, it is at fault
        itself."""
        refused: list[UsageRecord] = []
        for number, each in enumerate(some):
            try:
                await self._store.add([each])
            except StoreError:
                raise
            except Exception:
                refused.append(each)
            if len(refused) > number and len(refused) in (_TRIES, len(some)):
                raise StoreError(f"{type(problem).__name__}: {problem}") from problem
        for each in refused:
            log.error("usage: a record is lost, the store does not take it: %r", each)

    async def _write(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._closing.wait()
            await self.flush()
