"""The pool at work: members of an engine get their places by it, and its timers run."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from antiphon.engines.remote.members import Member, Place
from antiphon.engines.remote.placement import Seat, Wish, keys_of
from antiphon.engines.remote.pool import Pool, Ticket
from antiphon.engines.remote.prefixes import marks_of
from antiphon.errors import EngineFault
from antiphon.ports.engine import Generation

USUAL_SIZE: Final = 64
"""Works at once of an endpoint that does not say how many it does, for the sake of even loads only."""

USUAL_QUEUE: Final = 256

LONGEST_REST: Final = 5.0
"""Seconds for which an endpoint that says it is full gets nothing new at most, whatever it says."""


class Pooled:
    """Who does what, by the pool's policy.

    `limit`: works at once at every endpoint; None: as many as each says of itself, without a bound where it says
    nothing. `queue`: how many may wait, for every endpoint that is up.
    """

    def __init__(self, members: Sequence[Member], *, limit: int | None = None, queue: int = USUAL_QUEUE) -> None:
        self._members = members
        self._limit = limit
        keys = keys_of(member.endpoint.url for member in members)
        seats = [Seat(key, limit or USUAL_SIZE, limit, open=False) for key in keys]
        self._pool = Pool(seats, queue=queue)
        self._alarm: asyncio.TimerHandle | None = None
        self._resting: dict[int, asyncio.TimerHandle] = {}

    @property
    def pool(self) -> Pool:
        """The policy, for diagnosis."""
        return self._pool

    def entered(self, member: Member) -> None:
        """The member is up, and takes work. What it had read before is not relied on."""
        self._resize(member)
        self._wake_up(self._number(member))

    def resized(self, member: Member) -> None:
        """The member does more works at once than before, or fewer; what it works on goes on."""
        self._resize(member)
        self._pool.serve(self._number(member), self._now())
        self._set_alarm()

    def left(self, member: Member, why: str) -> None:
        """The member takes no new work; what it works on goes on, as long as it can."""
        number = self._number(member)
        self._end_rest(number)
        self._pool.close(number, self._now())
        self._abandon_if_none(why)

    def drained(self, member: Member) -> None:
        """The member takes no new work, and keeps what it has read."""
        number = self._number(member)
        self._end_rest(number)
        self._pool.close(number, self._now(), forget=False)
        self._abandon_if_none("every engine is drained or away")

    def rests(self, member: Member, seconds: float) -> None:
        """The member has said that it is full: it is not asked for a while, and others are."""
        number = self._number(member)
        if not member.takes:
            return
        self._end_rest(number)
        self._pool.close(number, self._now(), forget=False)
        loop = asyncio.get_running_loop()
        self._resting[number] = loop.call_later(min(seconds, LONGEST_REST), self._wake_up, number)
        self._set_alarm()

    @asynccontextmanager
    async def place(self, work: Generation, avoid: Sequence[Member]) -> AsyncGenerator[Place]:
        """A place for the work, for as long as the context is open; waits for its turn.

        `avoid`: members that it was lost at; it is not turned away then. Raises `EngineFull`, and `EngineUnavailable`
        where the last member goes meanwhile.
        """
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def begin(endpoint: int) -> None:
            if not turn.done():
                turn.set_result(endpoint)

        def fail(problem: EngineFault) -> None:
            if not turn.done():
                turn.set_exception(problem)

        tokens = work.prompt.tokens
        wish = Wish(marks_of(tokens), work.conversation, frozenset(map(self._number, avoid)))
        ticket = Ticket(wish, begin, fail, tokens, work.tenant)
        self._pool.ask(ticket, self._now(), again=bool(avoid))
        self._set_alarm()
        place: Place | None = None
        try:
            member = self._members[await turn]
            place = Place(member, lambda: self._pool.read(ticket, self._now()), thinks=bool(work.stops))
            member.works += 1
            yield place
        finally:
            if place is not None:
                place.member.works -= 1
            keeps = place is not None and place.ended and place.thinks
            if ticket.working:
                self._pool.end(ticket, self._now(), keep=keeps)
            else:
                self._pool.leave(ticket, self._now())
            self._set_alarm()

    def close(self) -> None:
        """No timer is left."""
        for number in list(self._resting):
            self._end_rest(number)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _resize(self, member: Member) -> None:
        places = 0 if member.findings is None else member.findings.places
        seat = self._pool.seats[self._number(member)]
        seat.limit = self._limit or places or None
        seat.size = seat.limit or USUAL_SIZE

    def _abandon_if_none(self, why: str) -> None:
        if not any(member.takes for member in self._members):
            self._pool.abandon(why)
        self._set_alarm()

    def _wake_up(self, number: int) -> None:
        self._end_rest(number)
        self._pool.reopen(number, self._now())
        self._set_alarm()

    def _end_rest(self, number: int) -> None:
        resting = self._resting.pop(number, None)
        if resting is not None:
            resting.cancel()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self._pool.next_wake()
        if due is not None:
            self._alarm = asyncio.get_running_loop().call_at(due, self._wake)

    def _wake(self) -> None:
        self._pool.wake(self._now())
        self._set_alarm()

    def _number(self, member: Member) -> int:
        return next(number for number, one in enumerate(self._members) if one is member)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
