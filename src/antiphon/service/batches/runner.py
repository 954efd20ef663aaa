"""Runs the requests of batches: takes them from the store, runs them, keeps what they come to.

Any number of runners work on one store, in as many processes. What one has taken is its own for a while, and as long
as it says so; the requests of one that has died are free for others then. Whatever happens, a result is kept once.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from antiphon.ports.batches import Batch, BatchStore, Endings, Leased, Outcome
from antiphon.ports.stores import StoreError
from antiphon.ports.system import Clock
from antiphon.service.batches.policy import LOOK, Policy
from antiphon.service.batches.rows import LOST, MOST_ATTEMPTS, Later
from antiphon.service.traffic import Traffic
from antiphon.wire.batches import CANCELED, EXPIRED
from antiphon.wire.moments import micros

log = logging.getLogger(__name__)

ENDINGS: Final = Endings(CANCELED, EXPIRED, LOST, MOST_ATTEMPTS)


class Runs(Protocol):
    """Runs one request."""

    async def run(self, leased: Leased) -> Outcome | Later:
        """What it comes to; never fails."""
        ...


class BatchRunner:
    """Works from `start` to `aclose`; `owner`: a name that no other runner has or had."""

    def __init__(
        self, store: BatchStore, rows: Runs, traffic: Traffic, policy: Policy, clock: Clock, owner: str
    ) -> None:
        self._store = store
        self._rows = rows
        self._traffic = traffic
        self._policy = policy
        self._clock = clock
        self._owner = owner
        self._open: Sequence[Batch] = ()
        self._ready: deque[Leased] = deque()
        self._running: dict[asyncio.Task[None], Leased] = {}
        self._done: list[Outcome] = []
        self._later: list[Later] = []
        self._left: list[Leased] = []
        self._wakes = asyncio.Event()
        self._stopped: float | None = None
        self._closed = False
        self._working: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Work from now on."""
        self._traffic.told = self._on_traffic
        self._working = asyncio.create_task(self._work())

    @property
    def depth(self) -> dict[str, int]:
        """How many requests had not ended in all of the store when it was looked into last (`open`), how many this
        runner has taken (`taken`), and how many it is at work on (`running`)."""
        left = sum(batch.total - batch.counts.all for batch in self._open)
        return {"open": left, "taken": len(self._ready), "running": len(self._running)}

    def resize(self, places: int | None) -> None:
        """The engine works at so many together from now on; see `Policy`."""
        self._policy.places = places
        self._wakes.set()

    def wake(self) -> None:
        """Look into the store now: there is a batch that is new, or canceled."""
        self._policy.look()
        self._wakes.set()

    def stop(self) -> None:
        """Begin nothing more; what runs goes on."""
        if self._stopped is None:
            self._stopped = asyncio.get_running_loop().time()
        self._wakes.set()

    async def aclose(self, patience: float = 0.0) -> None:
        """End: what runs has so many seconds from `stop` to finish; the rest is given back, for others or later."""
        self.stop()
        self._traffic.told = None
        assert self._stopped is not None
        left = self._stopped + patience - asyncio.get_running_loop().time()
        if self._running and left > 0:
            await asyncio.wait(self._running, timeout=left)
        cut = [leased for task, leased in self._running.items() if task.cancel()]
        await asyncio.gather(*self._running, return_exceptions=True)
        self._closed = True
        self._wakes.set()
        if self._working is not None:
            await self._working
        with contextlib.suppress(StoreError):  # they are free without a word, a little later
            await self._keep()
            await self._store.give_back(self._owner, cut, counted=False)

    async def turn(self) -> None:
        """Do what is due: keep what was done, look what has changed, take what can be begun."""
        now = self._clock.now()
        try:
            await self._keep()
            if self._policy.looks(now):
                await self._leave_stopped(micros(now))
                await self._store.settle(ENDINGS, micros(now))
                self._open = await self._store.open(micros(now))
            if (held := self._held()) and self._policy.renews(now):
                await self._store.renew(self._owner, held, self._until(now))
            await self._take(now)
            self._begin()
        except StoreError as problem:
            log.warning("batches: the store would not: %s", problem)
            self._policy.failed(now)

    async def settled(self) -> None:
        """Return when nothing runs."""
        while self._running:
            await asyncio.wait(self._running)

    async def _work(self) -> None:
        while not self._closed:
            self._wakes.clear()
            try:
                await self.turn()
            except Exception:
                log.exception("batches: a turn of the runner failed")
                self._policy.failed(self._clock.now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._wakes.wait()

    async def _keep(self) -> None:
        """Tell the store what has ended."""
        if self._done:
            done = self._done[:]
            kept = await self._store.finish(self._owner, done, micros(self._clock.now()))
            del self._done[: len(done)]
            if kept < len(done):
                log.warning("batches: %d results are not kept, others run their requests", len(done) - kept)
        for why in ("unavailable", "died", "limited"):
            later = [each for each in self._later if each.why == why]
            if later:
                await self._store.give_back(self._owner, [each.leased for each in later], counted=why == "died")
                self._later = [each for each in self._later if each not in later]
        if self._stopped is not None:
            self._left += self._ready
            self._ready.clear()
        await self._give_back()

    async def _give_back(self) -> None:
        """Give back what was taken and is not begun."""
        if self._left:
            left = self._left[:]
            await self._store.give_back(self._owner, left, counted=False)
            del self._left[: len(left)]

    async def _leave_stopped(self, now: int) -> None:
        """Of what is taken and not begun, leave what was canceled or is too late meanwhile."""
        batches = {leased.batch.key: leased.batch for leased in self._ready}
        for batch in batches.values():
            found = await self._store.get(batch.tenant, batch.id)
            if found is not None and found.cancel_initiated_at is None and found.expires_at > now:
                continue
            self._left += [leased for leased in self._ready if leased.batch.key == batch.key]
            self._ready = deque(leased for leased in self._ready if leased.batch.key != batch.key)
        await self._give_back()

    async def _take(self, now: float) -> None:
        """Take requests while there are some, and room for them."""
        while self._open and self._stopped is None:
            most = self._policy.to_take(now, self._traffic.open, len(self._running), len(self._ready))
            begins = [each for each in self._open if not self._policy.is_aside(each, now)]
            batch = self._policy.next_of(begins) if most else None
            if batch is None:
                break
            taken = await self._store.lease(batch, self._owner, most, micros(now), self._until(now))
            self._ready += taken
            if len(taken) < most:
                self._open = [each for each in self._open if each.key != batch.key]
            self._begin()

    def _held(self) -> list[Leased]:
        """All that is taken, and whose end the store has not heard. What it has given us without our knowing, as when
        a connection breaks, is not among it, and is free again in a while."""
        ended = [outcome.leased for outcome in self._done] + [each.leased for each in self._later]
        return [*self._ready, *self._running.values(), *ended]

    def _until(self, now: float) -> int:
        return micros(now + self._policy.lease)

    def _begin(self) -> None:
        """Begin what is taken, as far as there is room."""
        if self._stopped is not None:
            return
        now = self._clock.now()
        while self._ready and self._policy.room(now, self._traffic.open, len(self._running)) > 0:
            leased = self._ready.popleft()
            self._running[asyncio.create_task(self._run(leased))] = leased

    async def _run(self, leased: Leased) -> None:
        try:
            came = await self._rows.run(leased)
        finally:
            task = asyncio.current_task()
            assert task is not None
            del self._running[task]
        if isinstance(came, Outcome):
            self._done.append(came)
            self._policy.worked()
        else:
            self._later.append(came)
            self._hold_back(came)
        self._begin()
        self._wakes.set()

    def _hold_back(self, came: Later) -> None:
        """Give the engine time, or a limit."""
        now, batch = self._clock.now(), came.leased.batch
        if came.why != "limited":
            self._policy.failed(now)
            return
        self._policy.put_aside(batch, now, came.wait)
        self._left += [leased for leased in self._ready if leased.batch.key == batch.key]
        self._ready = deque(leased for leased in self._ready if leased.batch.key != batch.key)

    def _on_traffic(self) -> None:
        if self._ready:
            self._begin()
        elif self._open:
            self._wakes.set()
