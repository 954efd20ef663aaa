"""Many engines and many conversations, on paper: the pool as it is, engines as a model, a clock that is only counted.

    python -m benchmarks.fleet [--endpoints 200] [--conversations 10000] [--turns 6] [--seed 1]

What is real: the code that chooses endpoints, keeps queues and remembers prefixes. What is assumed: how fast engines
read and write, how much they keep, what people ask: the fields of `Engines` and `People` in `simulated.py`. The same
seed gives the same figures, but for the one that says what a decision cost here.
"""

import argparse
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Final

from antiphon.engines.remote.placement import Seat
from antiphon.engines.remote.pool import Pool, Ticket
from benchmarks.simulated import Door, Engines, Figures, Fleet, Loss, People, Run, part


class Blind:
    """Every endpoint with a queue of its own, chosen without a look at prompts or loads."""

    def __init__(self, seats: Sequence[Seat], choose: Callable[[Sequence[int]], int]) -> None:
        self._seats = seats
        self._choose = choose
        self._queues: list[list[Ticket]] = [[] for _ in seats]

    def ask(self, ticket: Ticket, now: float, *, again: bool = False) -> None:
        """Work goes to the chosen endpoint."""
        del now, again
        endpoint = self._choose([number for number, seat in enumerate(self._seats) if seat.open])
        self._queues[endpoint].append(ticket)
        self._serve(endpoint)

    def read(self, ticket: Ticket, now: float) -> None:
        """Nothing is learnt of it."""

    def end(self, ticket: Ticket, now: float) -> None:
        """The next in the endpoint's queue begins."""
        del now
        if ticket.working and ticket.endpoint is not None:
            ticket.working = False
            self._seats[ticket.endpoint].load -= 1
            self._serve(ticket.endpoint)

    def close(self, endpoint: int, now: float) -> None:
        """Those who wait are placed anew."""
        self._seats[endpoint].open = False
        waiting, self._queues[endpoint] = self._queues[endpoint], []
        for ticket in waiting:
            self.ask(ticket, now)

    def reopen(self, endpoint: int, now: float) -> None:
        """It is chosen again."""
        del now
        self._seats[endpoint].open = True

    def wake(self, now: float) -> None:
        """Time changes nothing."""

    def next_wake(self) -> float | None:
        """Never."""
        return None

    def _serve(self, endpoint: int) -> None:
        seat, queue = self._seats[endpoint], self._queues[endpoint]
        while queue and seat.open and seat.load < seat.size:
            ticket = queue.pop(0)
            seat.load += 1
            ticket.endpoint, ticket.working = endpoint, True
            ticket.begin(endpoint)


QUEUE: Final = 64


def _pool(seats: Sequence[Seat], dice: random.Random) -> Door:
    del dice
    return Pool(seats, queue=QUEUE)


def _random(seats: Sequence[Seat], dice: random.Random) -> Door:
    return Blind(seats, dice.choice)


def _round_robin(seats: Sequence[Seat], dice: random.Random) -> Door:
    del dice
    numbers = cycle(range(len(seats)))
    return Blind(seats, lambda usable: next(number for number in numbers if number in frozenset(usable)))


DOORS: Final[Mapping[str, Callable[[Sequence[Seat], random.Random], Door]]] = {
    "pool": _pool,
    "random": _random,
    "round robin": _round_robin,
}

HOT: Final = 0.5


def scenes(run: Run) -> Mapping[str, Run]:
    """What is looked at, by name."""
    return {
        "all is well": run,
        # What comes back is for new conversations: these have to come for as long.
        "a tenth is lost and comes back": replace(run, loss=Loss(), people=replace(run.people, arrive=240.0)),
        "half share one beginning": replace(run, people=replace(run.people, hot=HOT)),
    }


def row(name: str, figures: Figures) -> str:
    """A run's figures as a row of a table in Markdown."""
    cells = (
        name,
        f"{figures.affinity:.1%}",
        f"{figures.hits:.1%} of {figures.best:.1%}",
        f"{figures.imbalance:.2f}",
        f"{figures.peak:.2f}",
        *(f"{part(figures.waits, of):.2f}" for of in (0.5, 0.99)),
        *(f"{part(figures.firsts, of):.2f}" for of in (0.5, 0.99)),
        f"{figures.lost} / {figures.refused}",
        f"{figures.lasted:.0f}",
        f"{figures.deciding / max(1, figures.turns) * 1e6:.0f}",
    )
    return f"| {' | '.join(cells)} |"


HEAD: Final = (
    "| | back where it was | tokens not read again | works, most/mean | in flight, most/mean "
    "| wait p50, s | p99 | first token p50, s | p99 | lost / turned away | lasted, s | µs a decision |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def main() -> None:
    """Print a table for each scene."""
    parser = argparse.ArgumentParser(description="Simulate a pool of engines.")
    parser.add_argument("--endpoints", type=int, default=200)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--limit", type=int, default=Engines().limit)
    parser.add_argument("--think", type=float, default=People().think)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    people = People(conversations=given.conversations, turns=given.turns, think=given.think)
    run = Run(given.endpoints, given.seed, Engines(limit=given.limit), people)
    for scene, what in scenes(run).items():
        print(f"\n{scene}\n\n{HEAD}")
        for name, door in DOORS.items():
            print(row(name, Fleet(door, what).go()), flush=True)


if __name__ == "__main__":
    main()
