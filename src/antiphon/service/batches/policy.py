"""What a runner of batches does when: how many requests run, whose are next, what is due. No clock and no store.

What somebody waits for goes first: a batch has the places that are left, and of several places leaves one free for
who comes next. What has been begun is not stopped. Times are in seconds on any clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from antiphon.ports.batches import Batch

LOOK: Final = 1.0
"""Seconds between two looks for what other servers have put into the store, or left in it."""

AHEAD: Final = 2
"""Times as many requests as may run at once are taken beforehand: the store takes its time, the more beside them."""

LEAST_PAUSE: Final = 0.5
MOST_PAUSE: Final = 30.0
"""Seconds for which nothing is begun where the engine or the store fails: at first, and in the end."""


@dataclass(slots=True)
class Policy:
    """`concurrency`: requests that run at once at most. `places`: how many the engine works at together, None where
    nobody says. `lease`: seconds for which a request is taken."""

    concurrency: int
    places: int | None
    lease: float
    _failures: int = 0
    _paused_until: float = 0.0
    _renewed: float = 0.0
    _looked: float | None = None
    _turns: dict[str, int] = field(default_factory=dict[str, int])
    _count: int = 0
    _aside: dict[int, float] = field(default_factory=dict[int, float])

    def most(self, waited_for: int) -> int:
        """How many requests may run beside so many that somebody waits for."""
        if self.places is None:
            return max(0, self.concurrency - waited_for)
        kept = 1 if self.places > 1 else 0
        return max(0, min(self.concurrency, self.places - kept - waited_for))

    def room(self, now: float, waited_for: int, running: int) -> int:
        """How many may be begun now."""
        return 0 if self._pauses(now) else max(0, self.most(waited_for) - running)

    def to_take(self, now: float, waited_for: int, running: int, ready: int) -> int:
        """How many to take from the store, where so many are taken and not begun: none while those are enough, else
        more than can be begun, so that what ends is followed at once."""
        room, ahead = self.room(now, waited_for, running), AHEAD * self.concurrency
        enough = self.most(waited_for) == 0 or 2 * ready >= ahead
        return 0 if enough or self._pauses(now) else room + ahead - ready

    def next_of(self, batches: Sequence[Batch]) -> Batch | None:
        """Whose turn it is: tenants take turns, each with its oldest batch. `batches`: the oldest first."""
        if not batches:
            return None
        chosen = min(batches, key=lambda batch: (self._turns.get(batch.tenant, 0), batch.created_at, batch.key))
        self._count += 1
        self._turns[chosen.tenant] = self._count
        return chosen

    def put_aside(self, batch: Batch, now: float, seconds: float) -> None:
        """Begin none of its requests for so long."""
        self._aside = {key: until for key, until in self._aside.items() if until > now}
        self._aside[batch.key] = now + seconds

    def is_aside(self, batch: Batch, now: float) -> bool:
        """Whether that is so now."""
        return now < self._aside.get(batch.key, now)

    def failed(self, now: float) -> None:
        """The engine or the store would not: each time in a row it is given longer."""
        pause = min(MOST_PAUSE, LEAST_PAUSE * 2**self._failures)
        # Many requests may fail at once for the same reason.
        if not self._pauses(now):
            self._failures = min(self._failures + 1, 16)
            self._paused_until = now + pause

    def worked(self) -> None:
        """It does again."""
        self._failures = 0
        self._paused_until = 0.0

    def _pauses(self, now: float) -> bool:
        # A clock that was set back makes no pause longer.
        return 0 < self._paused_until - now <= MOST_PAUSE

    def renews(self, now: float) -> bool:
        """Whether it is time to say that what was taken is still worked at; says so once."""
        if now - self._renewed < self.lease / 3 and now >= self._renewed:
            return False
        self._renewed = now
        return True

    def look(self) -> None:
        """Something has changed in the store: it is time."""
        self._looked = None

    def looks(self, now: float) -> bool:
        """Whether it is time to look what has changed in the store; says so once."""
        if self._looked is not None and 0 <= now - self._looked < LOOK:
            return False
        self._looked = now
        return True
