"""Where it is kept what requests came to: the port. Moments are microseconds since the epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec import Struct

Dimension = Literal["key", "workspace", "model", "tier", "window", "geo"]

Tier = Literal["standard", "batch"]

Window = Literal["0-200k", "200k-1M"]


class Tokens(Struct, frozen=True):
    """What requests came to. `brief` and `lasting`: written to the prompt cache, for five minutes and for an hour."""

    uncached: int = 0
    read: int = 0
    brief: int = 0
    lasting: int = 0
    output: int = 0
    searches: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            self.uncached + other.uncached,
            self.read + other.read,
            self.brief + other.brief,
            self.lasting + other.lasting,
            self.output + other.output,
            self.searches + other.searches,
        )


class UsageRecord(Struct, frozen=True):
    """What one request came to. `id`: no other record has it. `at`: when it ended. `key`: None where none was wanted.
    `window`: how long its prompt was; `geo`: where it was answered."""

    id: str
    at: int
    key: str | None
    workspace: str
    model: str
    tier: Tier
    window: Window
    geo: str
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Asks for sums. `width`: of a bucket; buckets begin at its multiples, and so has `since` to. `by`: what is told
    apart. `only`: values of which a record has to have one."""

    since: int
    until: int
    width: int
    by: Sequence[Dimension] = ()
    only: Mapping[Dimension, Sequence[str]] = field(default_factory=dict[Dimension, Sequence[str]])


@dataclass(frozen=True, slots=True)
class UsageSum:
    """What the `requests` of one bucket came to that are alike in what was told apart."""

    since: int
    told: Mapping[Dimension, str | None]
    tokens: Tokens
    requests: int


class UsageStore(Protocol):
    """Keeps records of use. Every method raises `StoreError`."""

    async def add(self, records: Sequence[UsageRecord]) -> None:
        """Keep them, all or none; those that are there already stay as they are."""
        ...

    async def sums(self, query: UsageQuery) -> Sequence[UsageSum]:
        """The sums of the buckets that have any, oldest first."""
        ...

    async def forget(self, before: int) -> None:
        """Take out what is older."""
        ...
