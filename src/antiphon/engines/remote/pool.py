"""Many endpoints for one model: who works on what, who waits, and for how long. Pure: time is an argument.

Work goes where its prompt's beginning has been read (`placement`), and waits there for its turn, about as long as
reading it anew would take; then an endpoint with nothing else to do takes it. Where all are busy, moving it would
spare nobody anything. What nobody has read goes to the first who has room. Tenants take turns; what goes on from work
that has just ended somewhere goes first there, since it is the same reply.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from antiphon.engines.remote.placement import Placement, Seat, Wish
from antiphon.engines.remote.prefixes import BLOCK
from antiphon.engines.waiting import FairQueue, Pace, Turns
from antiphon.errors import EngineFault, EngineFull, EngineUnavailable

PATIENCE: Final = 2.0
"""Seconds for which work waits for the endpoint that has read its beginning while others have nothing to do, as long
as it is not known how fast endpoints read."""

LEAST_PATIENCE: Final = 0.25
MOST_PATIENCE: Final = 15.0

GRACE: Final = 2.0
"""Seconds for which a place is kept for what goes on from the work that has ended there."""

_SMOOTHING: Final = 8


@dataclass(slots=True, eq=False)
class Ticket:
    """Work on its way; `tokens`: its prompt.

    `begin` is called once with the number of the endpoint that it has a place at, or `fail` with the reason why there
    is none; neither, where it is given back before.
    """

    wish: Wish
    begin: Callable[[int], None]
    fail: Callable[[EngineFault], None]
    tokens: tuple[int, ...] = ()
    tenant: str = ""
    number: int = field(default=0, init=False)
    shared: int = field(default=0, init=False)
    begun: float = field(default=0.0, init=False)
    endpoint: int | None = field(default=None, init=False)
    queue: "FairQueue[Ticket] | None" = field(default=None, init=False)
    working: bool = field(default=False, init=False)


@dataclass(slots=True, eq=False)
class _Keeping:
    """A place that is kept for a prompt that goes on from these tokens."""

    endpoint: int
    tokens: tuple[int, ...]
    until: float


class Pool:
    """The places of one model's endpoints. Every method is told the time, in seconds of any one clock.

    `queue`: so many may wait, for each endpoint that takes work; beyond it `EngineFull`. A tenant with more waiting
    than another gives way to it.
    """

    def __init__(self, seats: Sequence[Seat], *, queue: int) -> None:
        self.seats = seats
        self._placement = Placement(seats)
        turns = Turns()
        self._turns = turns
        self._queues = [FairQueue[Ticket](turns) for _ in seats]
        self._anywhere = FairQueue[Ticket](turns)
        # Those in the endpoints' queues who have waited long enough.
        self._movable = FairQueue[Ticket](turns)
        self._working = [0 for _ in seats]
        self._kept = [0 for _ in seats]
        self._keeping: deque[_Keeping] = deque()
        self._impatient: list[tuple[float, int, Ticket]] = []
        self._seconds_a_token: float | None = None
        self._most = queue
        self._pace = Pace()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting

    def working(self, endpoint: int) -> int:
        """How many the endpoint works on."""
        return self._working[endpoint]

    @property
    def open(self) -> tuple[int, ...]:
        """The endpoints that take work."""
        return tuple(number for number, seat in enumerate(self.seats) if seat.open)

    def ask(self, ticket: Ticket, now: float, *, again: bool = False) -> None:
        """Work wants a place: it begins at once, or waits, or there are too many: `EngineFull`.

        `again`: it had a place, and lost it without fault of its own; it is not turned away.
        """
        ticket.number = self._turns.number()
        kept = self._kept_for(ticket)
        if kept is not None:
            self._let_go(kept)
            self._begin(ticket, kept.endpoint, now)
            return
        self._place(ticket, now)
        if ticket.queue is None or again or self._waiting <= self._most * max(1, len(self.open)):
            return
        last = self._gives_way(ticket)
        self._leave_queue(last)
        full = EngineFull(f"{self._waiting} requests wait already", retry_after=self.retry_after(now))
        if last is ticket:
            raise full
        last.fail(full)

    def read(self, ticket: Ticket, now: float) -> None:
        """The work's prompt has been read: its first token is there."""
        new = ticket.wish.marks.tokens - ticket.shared
        if new >= BLOCK:
            pace = (now - ticket.begun) / new
            before = pace if self._seconds_a_token is None else self._seconds_a_token
            self._seconds_a_token = before + (pace - before) / _SMOOTHING

    def end(self, ticket: Ticket, now: float, *, keep: bool = False) -> None:
        """The work's place is free again, whatever came of it. `keep`: for a moment only for what goes on from it."""
        if not ticket.working:
            return
        endpoint = ticket.endpoint
        assert endpoint is not None
        ticket.working = False
        self._working[endpoint] -= 1
        self._pace.ended(now)
        if keep and ticket.tokens and self.seats[endpoint].open:
            self._keeping.append(_Keeping(endpoint, ticket.tokens, now + GRACE))
            self._kept[endpoint] += 1
            return
        self.seats[endpoint].load -= 1
        self.serve(endpoint, now)

    def leave(self, ticket: Ticket, now: float) -> None:
        """Nobody waits for this work any more; it may have begun."""
        if ticket.queue is not None:
            self._leave_queue(ticket)
        else:
            self.end(ticket, now)

    def close(self, endpoint: int, now: float, *, forget: bool = True) -> None:
        """The endpoint takes no new work; what it works on goes on. `forget`: what it has read is lost."""
        self.seats[endpoint].open = False
        if forget:
            self._placement.forget(endpoint)
        for kept in [kept for kept in self._keeping if kept.endpoint == endpoint]:
            self._let_go(kept)
        for ticket in sorted(self._queues[endpoint], key=lambda ticket: ticket.number):
            self._leave_queue(ticket)
            self._place(ticket, now)

    def reopen(self, endpoint: int, now: float) -> None:
        """The endpoint takes work again."""
        self.seats[endpoint].open = True
        self.serve(endpoint, now)

    def abandon(self, problem: str) -> None:
        """No endpoint will take work for a while: those who wait are told so."""
        for ticket in list(self._anywhere):
            self._leave_queue(ticket)
            ticket.fail(EngineUnavailable(problem))

    def wake(self, now: float) -> None:
        """Some time has passed: those who have waited long enough for one endpoint may go to another."""
        while self._keeping and self._keeping[0].until <= now:
            kept = self._keeping[0]
            self._let_go(kept)
            self.serve(kept.endpoint, now)
        while self._impatient and (self._impatient[0][0] <= now or not self._waits_for_one(self._impatient[0][2])):
            ticket = heappop(self._impatient)[2]
            if self._waits_for_one(ticket):
                self._movable.add(ticket.tenant, ticket, ticket.number)
                for endpoint in self.open:
                    self.serve(endpoint, now)

    def next_wake(self) -> float | None:
        """When `wake` is due, as things are."""
        times = [self._keeping[0].until] if self._keeping else []
        if self._impatient:
            times.append(self._impatient[0][0])
        return min(times, default=None)

    def retry_after(self, now: float) -> float:
        """Seconds after which there should be room for one who is turned away now."""
        return self._pace.seconds(self._waiting + 1, now)

    def _place(self, ticket: Ticket, now: float) -> None:
        chosen = self._placement.choose(ticket.wish, self._has_room)
        ticket.shared = 0 if chosen is None else chosen.shared
        if chosen is None:
            self._wait(ticket, self._anywhere)
        elif self._has_room(chosen.endpoint):
            self._begin(ticket, chosen.endpoint, now)
        elif chosen.shared:
            ticket.endpoint = chosen.endpoint
            self.seats[chosen.endpoint].load += 1
            self._wait(ticket, self._queues[chosen.endpoint])
            heappush(self._impatient, (now + self._patience(chosen.shared), ticket.number, ticket))
        else:
            self._anywhere_for(ticket, now)

    def _patience(self, shared: int) -> float:
        """Whoever waits no longer than what it saves never loses more than twice what it could have."""
        if self._seconds_a_token is None:
            return PATIENCE
        return min(max(shared * self._seconds_a_token, LEAST_PATIENCE), MOST_PATIENCE)

    def _anywhere_for(self, ticket: Ticket, now: float) -> None:
        """The first who has room gets it."""
        ready = [number for number in self.open if self._has_room(number) and number not in ticket.wish.avoid]
        if ready:
            least = min(ready, key=lambda number: self.seats[number].load / self.seats[number].size)
            self._begin(ticket, least, now)
        else:
            self._wait(ticket, self._anywhere)

    def _wait(self, ticket: Ticket, queue: FairQueue[Ticket]) -> None:
        ticket.queue = queue
        self._waiting += 1
        queue.add(ticket.tenant, ticket, ticket.number)

    def _leave_queue(self, ticket: Ticket) -> None:
        assert ticket.queue is not None
        ticket.queue.drop(ticket.tenant, ticket)
        self._movable.drop(ticket.tenant, ticket)
        ticket.queue = None
        self._waiting -= 1
        if ticket.endpoint is not None:
            self.seats[ticket.endpoint].load -= 1
            ticket.endpoint = None

    def _let_go(self, kept: _Keeping) -> None:
        self._keeping.remove(kept)
        self._kept[kept.endpoint] -= 1
        self.seats[kept.endpoint].load -= 1

    def _begin(self, ticket: Ticket, endpoint: int, now: float) -> None:
        ticket.endpoint, ticket.working, ticket.begun = endpoint, True, now
        self._working[endpoint] += 1
        self.seats[endpoint].load += 1
        self._turns.served(ticket.tenant)
        self._placement.begun(endpoint, ticket.wish)
        ticket.begin(endpoint)

    def serve(self, endpoint: int, now: float) -> None:
        """Give the endpoint's free places, of which there may be more than before, to whose turn it is."""
        queues = (self._queues[endpoint], self._anywhere)
        while self._has_room(endpoint):
            heads = [head for queue in queues if (head := queue.head()) is not None]
            if heads:
                _, ticket = min(heads, key=lambda head: head[0])
            elif (first := self._movable.first()) is not None:
                ticket, first.shared = first, 0
            else:
                return
            self._leave_queue(ticket)
            self._begin(ticket, endpoint, now)

    def _has_room(self, endpoint: int) -> bool:
        seat = self.seats[endpoint]
        busy = self._working[endpoint] + self._kept[endpoint]
        return seat.open and (seat.limit is None or busy < seat.limit)

    def _kept_for(self, ticket: Ticket) -> _Keeping | None:
        tokens = ticket.tokens
        for kept in self._keeping:
            length = len(kept.tokens)
            # The last token first: prompts are long, and most are others.
            if length < len(tokens) and tokens[length - 1] == kept.tokens[-1] and tokens[:length] == kept.tokens:
                return kept
        return None

    def _gives_way(self, ticket: Ticket) -> Ticket:
        """Who is turned away: the last of the tenant with the most waiting, if that is more than the ticket's has."""
        counts: dict[str, int] = {}
        last: dict[str, Ticket] = {}
        for queue in (self._anywhere, *self._queues):
            for waiting in queue:
                counts[waiting.tenant] = counts.get(waiting.tenant, 0) + 1
                if waiting.tenant not in last or last[waiting.tenant].number < waiting.number:
                    last[waiting.tenant] = waiting
        greatest = max(counts, key=lambda tenant: counts[tenant])
        return last[greatest] if counts[greatest] > counts[ticket.tenant] else ticket

    def _waits_for_one(self, ticket: Ticket) -> bool:
        return ticket.queue is not None and ticket.queue is not self._anywhere
