"""One run of `benchmarks.fleet`: people, engines as a model, and a clock that jumps from event to event."""

import heapq
import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Protocol

from antiphon.engines.remote.placement import Seat, Wish, keys_of
from antiphon.engines.remote.pool import Ticket
from antiphon.engines.remote.prefixes import Marks, marked
from antiphon.errors import EngineFault, EngineFull


@dataclass(frozen=True, slots=True)
class Engines:
    """What one engine is assumed to do. `reads` and `writes`: tokens a second, of the engine and of one stream;
    `keeps`: tokens in its KV cache; `limit`: works at once."""

    reads: float = 8000.0
    writes: float = 40.0
    keeps: int = 400_000
    limit: int = 32


@dataclass(frozen=True, slots=True)
class People:
    """What is asked. Every conversation begins with the `beginning` of one of so many `apps`, the first of which has
    the share `hot` of all conversations and the others equal ones; `first` tokens more are asked at first, `later` in
    each turn behind it, `written` are answered, and people `think` before they go on: all are means. They begin over
    `arrive` seconds."""

    conversations: int = 10_000
    turns: int = 6
    apps: int = 200
    hot: float = 0.0
    beginning: int = 3000
    first: int = 1500
    later: int = 500
    written: int = 250
    think: float = 15.0
    arrive: float = 60.0


@dataclass(frozen=True, slots=True)
class Loss:
    """A part of the endpoints is lost at a time, and comes back empty."""

    part: float = 0.1
    at: float = 80.0
    back: float = 140.0


class Door(Protocol):
    """Where work is placed: the pool, or what it is compared with."""

    def ask(self, ticket: Ticket, now: float, *, again: bool = False) -> None:
        """See `Pool.ask`."""
        ...

    def read(self, ticket: Ticket, now: float) -> None:
        """See `Pool.read`."""
        ...

    def end(self, ticket: Ticket, now: float) -> None:
        """See `Pool.end`."""
        ...

    def close(self, endpoint: int, now: float) -> None:
        """See `Pool.close`."""
        ...

    def reopen(self, endpoint: int, now: float) -> None:
        """See `Pool.reopen`."""
        ...

    def wake(self, now: float) -> None:
        """See `Pool.wake`."""
        ...

    def next_wake(self) -> float | None:
        """See `Pool.next_wake`."""
        ...


class Machine:
    """One engine: it reads one prompt after the other, and keeps what it has read as long as there is room."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._kept: OrderedDict[int, int] = OrderedDict()
        self._tokens = 0
        self._reads_until = 0.0
        self.works = 0
        self.asked = 0

    def read(self, marks: Marks, now: float) -> tuple[int, float]:
        """How much of the prompt was kept, and when the rest is read."""
        cached = 0
        for mark, length in zip(marks.hashes, marks.lengths, strict=True):
            if mark not in self._kept:
                break
            cached = length
        self._keep(marks)
        begins = max(now, self._reads_until)
        self._reads_until = begins + (marks.tokens - cached) / self._engines.reads
        return cached, self._reads_until

    def lose(self, now: float) -> None:
        """All that it kept is gone."""
        self._kept.clear()
        self._tokens, self._reads_until = 0, now

    def _keep(self, marks: Marks) -> None:
        sizes = [length - before for length, before in zip(marks.lengths, (0, *marks.lengths), strict=False)]
        # The end of a prompt is forgotten before its beginning.
        for mark, size in reversed(list(zip(marks.hashes, sizes, strict=True))):
            if mark not in self._kept:
                self._kept[mark] = size
                self._tokens += size
            self._kept.move_to_end(mark)
        while self._tokens > self._engines.keeps:
            self._tokens -= self._kept.popitem(last=False)[1]


@dataclass(slots=True)
class Talk:
    """A conversation: how long it is now, and where its last turn was."""

    number: int
    app: int
    beginning: int
    own: int
    left: int
    last: int | None = None

    @property
    def marks(self) -> Marks:
        """The marks of what is asked now, as if of tokens that no other conversation has behind the beginning."""
        total = self.beginning + self.own
        lengths = tuple(marked(total))
        return Marks(
            tuple(
                hash((-1 - self.app, length)) if length <= self.beginning else hash((self.number, length))
                for length in lengths
            ),
            lengths,
            total,
        )


@dataclass(slots=True)
class Figures:
    """What came out. `waits` and `firsts`: seconds until the engine began, and until it had read the prompt. `known`:
    tokens that anyone had read before, which a single endless cache would have kept."""

    turns: int = 0
    later: int = 0
    returned: int = 0
    cached: int = 0
    known: int = 0
    asked: int = 0
    lost: int = 0
    refused: int = 0
    waits: list[float] = field(default_factory=list[float])
    firsts: list[float] = field(default_factory=list[float])
    busiest: list[float] = field(default_factory=list[float])
    works: list[int] = field(default_factory=list[int])
    deciding: float = 0.0
    lasted: float = 0.0

    @property
    def affinity(self) -> float:
        """The part of later turns that reached the endpoint of the turn before."""
        return self.returned / max(1, self.later)

    @property
    def hits(self) -> float:
        """The part of all prompts' tokens that was not read again."""
        return self.cached / max(1, self.asked)

    @property
    def best(self) -> float:
        """The part that could have been spared at most."""
        return self.known / max(1, self.asked)

    @property
    def imbalance(self) -> float:
        """Works of the endpoint that got the most, by the mean."""
        return max(self.works) * len(self.works) / max(1, sum(self.works))

    @property
    def peak(self) -> float:
        """In flight at the busiest endpoint by the mean, sampled each second: the middle of the samples."""
        return part(self.busiest, 0.5)


def part(values: Sequence[float], of: float) -> float:
    """The value below which this part of all lies."""
    return sorted(values)[min(len(values) - 1, int(of * len(values)))] if values else 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """What is simulated."""

    endpoints: int = 200
    seed: int = 1
    engines: Engines = field(default_factory=Engines)
    people: People = field(default_factory=People)
    loss: Loss | None = None


class Fleet:
    """One run. The clock jumps from event to event."""

    def __init__(self, door: Callable[[Sequence[Seat], random.Random], Door], run: Run) -> None:
        self._run = run
        self._dice = random.Random(run.seed)
        keys = keys_of(f"http://{number}" for number in range(run.endpoints))
        self._seats = [Seat(key, run.engines.limit, run.engines.limit) for key in keys]
        self._door = door(self._seats, random.Random(run.seed + 1))
        self._machines = [Machine(run.engines) for _ in keys]
        self._in_flight: list[dict[int, Ticket]] = [{} for _ in keys]
        self._lives = [0] * run.endpoints
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = 0
        self._woken = float("inf")
        self._talking = run.people.conversations
        self._now = 0.0
        self._read: set[int] = set()
        self.figures = Figures()

    def go(self) -> Figures:
        """Until the last conversation is over."""
        self._people_come()
        self._at(1.0, self._sample)
        if self._run.loss is not None:
            self._at(self._run.loss.at, self._lose)
        now = 0.0
        while self._talking:
            now, _, event = heapq.heappop(self._events)
            event(now)
            self._set_alarm(now)
        self.figures.works = [machine.works for machine in self._machines]
        self.figures.lasted = now
        return self.figures

    def _people_come(self) -> None:
        people, dice = self._run.people, self._dice
        beginnings = [round(people.beginning * dice.uniform(0.5, 1.5)) for _ in range(people.apps)]
        for number in range(people.conversations):
            app = 0 if dice.random() < people.hot else dice.randrange(1, people.apps)
            own, turns = round(dice.expovariate(1 / people.first)), 1 + round(dice.uniform(0, 2) * (people.turns - 1))
            talk = Talk(number, app, beginnings[app], 10 + own, turns)
            self._at(dice.uniform(0, people.arrive), lambda now, talk=talk: self._ask(talk, now))

    def _at(self, time: float, event: Callable[[float], None]) -> None:
        self._numbers += 1
        heapq.heappush(self._events, (time, self._numbers, event))

    def _set_alarm(self, now: float) -> None:
        due = self._door.next_wake()
        if due is not None and due < self._woken:
            self._woken = due
            self._at(max(due, now), self._wake)

    def _wake(self, now: float) -> None:
        self._woken, self._now = float("inf"), now
        self._door.wake(now)

    def _ask(self, talk: Talk, now: float, since: float | None = None) -> None:
        marks, since = talk.marks, now if since is None else since
        self._now = now

        def begin(endpoint: int) -> None:
            self._work(talk, ticket, endpoint, since)

        def fail(problem: EngineFault) -> None:
            self._refused(talk, problem, since)

        ticket = Ticket(Wish(marks, str(talk.number)), begin, fail, tenant=str(talk.number % 20))
        started = process_time()
        try:
            self._door.ask(ticket, now)
        except EngineFull as full:
            fail(full)
        self.figures.deciding += process_time() - started

    def _refused(self, talk: Talk, problem: EngineFault, since: float) -> None:
        self.figures.refused += 1
        after = problem.retry_after if isinstance(problem, EngineFull) else 2.0
        self._at(self._now + after * self._dice.uniform(1, 1.25), lambda now: self._ask(talk, now, since))

    def _work(self, talk: Talk, ticket: Ticket, endpoint: int, since: float) -> None:
        figures, marks, now, life = self.figures, ticket.wish.marks, self._now, self._lives[endpoint]
        cached, read = self._machines[endpoint].read(marks, now)
        figures.turns += 1
        if talk.last is not None:
            figures.later += 1
            figures.returned += talk.last == endpoint
        figures.cached += cached
        figures.known += self._known(marks)
        figures.asked += marks.tokens
        figures.waits.append(now - since)
        figures.firsts.append(read - since)
        self._machines[endpoint].works += 1
        self._in_flight[endpoint][talk.number] = ticket
        written = 1 + round(self._dice.expovariate(1 / self._run.people.written))

        def ended(now: float) -> None:
            if self._lives[endpoint] == life:
                self._ended(talk, ticket, endpoint, written, now)
            else:
                # The stream broke off with the endpoint, and the client asks again.
                figures.lost += 1
                self._ask(talk, now)

        ends = read + written / self._run.engines.writes
        loss = self._run.loss
        if loss is not None and now < loss.at < ends and endpoint < loss.part * self._run.endpoints:
            ends = loss.at + self._dice.uniform(0.5, 1.5)
        self._at(read, lambda now: self._door.read(ticket, now))
        self._at(ends, ended)

    def _known(self, marks: Marks) -> int:
        known = max(
            (length for mark, length in zip(marks.hashes, marks.lengths, strict=True) if mark in self._read),
            default=0,
        )
        self._read.update(marks.hashes)
        return known

    def _ended(self, talk: Talk, ticket: Ticket, endpoint: int, written: int, now: float) -> None:
        people, dice = self._run.people, self._dice
        del self._in_flight[endpoint][talk.number]
        self._now = now
        self._door.end(ticket, now)
        talk.last, talk.left = endpoint, talk.left - 1
        talk.own += written + round(dice.expovariate(1 / people.later))
        if talk.left:
            self._at(now + dice.expovariate(1 / people.think), lambda now: self._ask(talk, now))
        else:
            self._talking -= 1

    def _lose(self, now: float) -> None:
        loss = self._run.loss
        assert loss is not None
        self._now = now
        lost = range(round(loss.part * self._run.endpoints))
        for endpoint in lost:
            self._lives[endpoint] += 1
            self._machines[endpoint].lose(now)
            self._door.close(endpoint, now)
            for ticket in self._in_flight[endpoint].values():
                self._door.end(ticket, now)
            self._in_flight[endpoint].clear()

        def back(now: float) -> None:
            self._now = now
            for endpoint in lost:
                self._door.reopen(endpoint, now)

        self._at(loss.back, back)

    def _sample(self, now: float) -> None:
        loads = [len(works) for works, seat in zip(self._in_flight, self._seats, strict=True) if seat.open]
        if sum(loads) >= len(loads):
            self.figures.busiest.append(max(loads) * len(loads) / sum(loads))
        self._at(now + 1.0, self._sample)
