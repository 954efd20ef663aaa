"""Where work goes: to the endpoint that has read most of its prompt, as far as that keeps the load even.

A conversation that is known may go where the load is up to a quarter above the mean, and to an endpoint that is less
than three quarters full in any case: where it may not, `benchmarks.fleet` shows a tenth of all prompts read anew, and
nobody served sooner. A new one goes where the load is not above the mean, nor the number of conversations by a
quarter: what is begun somewhere comes back there, so that a beginning that many conversations share spreads before it
is too much for one. Among equals a new conversation's place follows from its name: fronts that know nothing of each
other mostly agree on it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from antiphon.engines.remote.prefixes import Marks, Prefixes

SLACK: Final = 1.25
"""How many times the mean an endpoint's load may be for the sake of what it has read, and one more."""

EASY: Final = 0.75
"""The part of an endpoint's size up to which it is not asked whether others have less to do."""

MOST_CONVERSATIONS: Final = 50_000

_WORTH_IT: Final = 8
_MASK: Final = (1 << 64) - 1


@dataclass(slots=True)
class Seat:
    """An endpoint as it is chosen: of a `size`, in works at once, it has a `load` of them, those who wait for it
    included; `homes` conversations were there last. `limit`: works at once at most, None where there is no bound.
    `open`: it takes new work. `key`: a number that follows from its address."""

    key: int
    size: int
    limit: int | None = None
    load: int = 0
    homes: int = 0
    open: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for a place. `conversation`: see `Generation`. `avoid`: endpoints that it was lost at."""

    marks: Marks
    conversation: str = ""
    avoid: frozenset[int] = field(default_factory=frozenset[int])


@dataclass(frozen=True, slots=True)
class Choice:
    """The endpoint, and how many tokens of the prompt it is known to have read."""

    endpoint: int
    shared: int


class Placement:
    """The seats of all endpoints, and what is known of who has read what."""

    def __init__(self, seats: Sequence[Seat], *, most: int = MOST_CONVERSATIONS) -> None:
        self.seats = seats
        self._prefixes = Prefixes(len(seats))
        self._homes: OrderedDict[str, int] = OrderedDict()
        self._most = most

    def choose(self, wish: Wish, has_room: Callable[[int], bool]) -> Choice | None:
        """Where the work goes; None: no endpoint takes any. `has_room`: the endpoint could begin at once."""
        seats = self.seats
        every = [number for number, seat in enumerate(seats) if seat.open]
        usable = [number for number in every if number not in wish.avoid] or every
        if not usable:
            return None
        home = self._homes.get(wish.conversation)
        fits = self._fitting(usable, known=home is not None)
        if home is None:
            # What is new waits nowhere for the sake of a beginning: it carries that to where there is room.
            fits = [number for number in fits if has_room(number)] or fits
        fitting = frozenset(fits)
        for shared, holders in self._prefixes.shares(wish.marks):
            if home is None and shared * _WORTH_IT < wish.marks.tokens:
                break
            if home in holders and home in fitting:
                return Choice(home, shared)
            if among := [number for number in holders if number in fitting]:
                return Choice(self._best(among, wish.conversation, has_room), shared)
        if home is not None and home in fitting:
            return Choice(home, 0)
        return Choice(self._best(fits, wish.conversation, has_room), 0)

    def begun(self, endpoint: int, wish: Wish) -> None:
        """The endpoint works on this now."""
        self._prefixes.read(endpoint, wish.marks)
        conversation = wish.conversation
        if not conversation:
            return
        before = self._homes.pop(conversation, None)
        if before is not None:
            self.seats[before].homes -= 1
        self._homes[conversation] = endpoint
        self.seats[endpoint].homes += 1
        if len(self._homes) > self._most:
            _, gone = self._homes.popitem(last=False)
            self.seats[gone].homes -= 1

    def forget(self, endpoint: int) -> None:
        """What the endpoint had read is lost."""
        self._prefixes.forget(endpoint)

    def _fitting(self, usable: Sequence[int], *, known: bool) -> list[int]:
        """The usable endpoints that may have one more; never none."""
        seats = [self.seats[number] for number in usable]
        sizes = sum(seat.size for seat in seats)
        share = (sum(seat.load for seat in seats) + 1) / sizes
        if known:
            most = max(SLACK * share, EASY)
            return [number for number in usable if self.seats[number].load <= most * self.seats[number].size]
        fits = [number for number in usable if self.seats[number].load <= share * self.seats[number].size]
        homes = (sum(seat.homes for seat in seats) + 1) / sizes
        return (
            [number for number in fits if self.seats[number].homes + 1 <= SLACK * homes * self.seats[number].size]
            or [number for number in fits if self.seats[number].homes <= homes * self.seats[number].size]
            or fits
        )

    def _best(self, among: Sequence[int], conversation: str, has_room: Callable[[int], bool]) -> int:
        """The endpoint for a conversation that none of these is better for than another."""
        ready = [number for number in among if has_room(number)] or among
        if not conversation:
            return min(ready, key=lambda number: (self.seats[number].load / self.seats[number].size, number))
        name = int.from_bytes(blake2b(conversation.encode(), digest_size=8).digest())
        return max(ready, key=lambda number: _mixed(name ^ self.seats[number].key))


def keys_of(addresses: Iterable[str]) -> list[int]:
    """The keys of seats at these addresses."""
    return [int.from_bytes(blake2b(address.encode(), digest_size=8).digest()) for address in addresses]


def _mixed(number: int) -> int:
    """SplitMix64's last step: numbers that differ a little come out far apart, and the same everywhere."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _MASK
    return number ^ number >> 31
