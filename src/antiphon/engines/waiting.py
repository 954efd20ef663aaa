"""Who is next: tenants take turns, and each tenant's own are served in the order in which they came."""

from collections import deque
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

LEAST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 60.0
_USUAL_SECONDS: Final = 2.0
_REMEMBERED: Final = 64

T = TypeVar("T")


class Turns:
    """Whose turn it is; several queues may share one, so that a tenant with many requests is fair in all of them."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._served = 0
        self._came = 0

    def number(self) -> int:
        """A number for who comes now, greater than those before."""
        self._came += 1
        return self._came

    def rank(self, tenant: str) -> int:
        """The less, the longer ago the tenant had its last turn."""
        return self._last.get(tenant, 0)

    def served(self, tenant: str) -> None:
        """The tenant has its turn now."""
        self._served += 1
        self._last[tenant] = self._served


class FairQueue(Generic[T]):
    """Items that wait, told apart by identity or equality, each for a tenant.

    Next is the first item of the tenant whose last turn is the longest ago.
    """

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns or Turns()
        self._lines: dict[str, dict[T, int]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        for line in self._lines.values():
            yield from line

    def __contains__(self, item: object) -> bool:
        return any(item in line for line in self._lines.values())

    def add(self, tenant: str, item: T, number: int | None = None) -> None:
        """The item waits from now on, behind the tenant's others. `number`: when it came, if not just now."""
        self._lines.setdefault(tenant, {})[item] = self._turns.number() if number is None else number
        self._length += 1

    def first(self) -> T | None:
        """Whose turn it is; None: nobody waits."""
        head = self.head()
        return None if head is None else head[1]

    def head(self) -> tuple[tuple[int, int], T] | None:
        """Whose turn it is, behind what tells it from the heads of queues that share turns: the least is next."""
        best: tuple[tuple[int, int], T] | None = None
        for tenant, line in self._lines.items():
            item, number = next(iter(line.items()))
            rank = (self._turns.rank(tenant), number)
            if best is None or rank < best[0]:
                best = rank, item
        return best

    def serve(self, tenant: str, item: T) -> None:
        """The item waits no longer: its tenant has had a turn."""
        self.drop(tenant, item)
        self._turns.served(tenant)

    def drop(self, tenant: str, item: T) -> None:
        """The item waits no longer, and it was nobody's turn; what does not wait is dropped already."""
        line = self._lines.get(tenant)
        if line is None or item not in line:
            return
        del line[item]
        self._length -= 1
        if not line:
            del self._lines[tenant]

    def waiting(self, tenant: str) -> int:
        """How many items of the tenant wait."""
        return len(self._lines.get(tenant, ()))


class Pace:
    """How fast work ends, by the last of it."""

    def __init__(self) -> None:
        self._ends: deque[float] = deque(maxlen=_REMEMBERED)

    def ended(self, now: float) -> None:
        """Some work has ended."""
        self._ends.append(now)

    def seconds(self, works: int, now: float) -> float:
        """After how long so many works more will have ended, within bounds: what a client is told to wait."""
        if len(self._ends) < 2:
            return _USUAL_SECONDS
        # Up to now, and not to the last end: where nothing ends any more, the estimate grows.
        seconds = works * (now - self._ends[0]) / (len(self._ends) - 1)
        return min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
