"""Where batches of requests are kept: the port, and what it says of them. Moments are microseconds since the epoch.

A batch is a row of its own and one for each of its requests. Whoever runs requests takes them for a while (a lease),
says from time to time that it is still at it, and finishes each once: a result is kept only while its lease holds,
and in the same moment the batch counts it. With several servers over one store this holds among all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from antiphon.ports.usage import UsageRecord

Kind = Literal["succeeded", "errored", "canceled", "expired"]
"""How a request of a batch ended."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the headers of the call that made a batch said; it holds for each of its requests. `key`: the id of its
    key, `models`: what that may ask for."""

    version: str = "2023-06-01"
    betas: tuple[str, ...] = ()
    client: str = ""
    key: str = ""
    models: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of a batch's requests ended how."""

    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def all(self) -> int:
        """How many have ended."""
        return self.succeeded + self.errored + self.canceled + self.expired


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch. `key`: the store's own name for it. `total`: of its requests."""

    key: int
    id: str
    tenant: str
    created_at: int
    expires_at: int
    total: int
    said: Said = field(default_factory=Said)
    counts: Counts = field(default_factory=Counts)
    ended_at: int | None = None
    cancel_initiated_at: int | None = None
    archived_at: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a tenant's batches, newest first. `more`: there are others in the direction that was asked for."""

    batches: tuple[Batch, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class NewRow:
    """A request that comes. `number`: its place in the batch. `prefix`: those with the same one run together."""

    number: int
    custom_id: str
    params: bytes
    prefix: str


@dataclass(frozen=True, slots=True)
class Leased:
    """A request that is taken to be run. `attempts`: how often it was taken, this time included."""

    batch: Batch
    number: int
    params: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a leased request came to. `result`: as it stands in the results. `usage`: is kept with it."""

    leased: Leased
    kind: Kind
    result: bytes
    usage: UsageRecord | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A line of a batch's results."""

    number: int
    custom_id: str
    result: bytes


@dataclass(frozen=True, slots=True)
class Room:
    """At most so many requests that have not ended: of all batches, of a tenant's, of those made with one key."""

    most: int
    tenant: str | None = None
    key: str | None = None


class NoRoom(Exception):  # noqa: N818 - reads as what happened
    """A batch would go beyond this `room`."""

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self.room = room


@dataclass(frozen=True, slots=True)
class Endings:
    """What requests come to that nobody runs: those of canceled and expired batches, and those that were begun
    `most_attempts` times and never finished."""

    canceled: bytes
    expired: bytes
    lost: bytes
    most_attempts: int


class BatchStore(Protocol):
    """Keeps batches. Every method raises `StoreError`."""

    async def begin(self, id_: str, tenant: str, said: Said, now: int) -> int:
        """The key of a new batch, which nobody sees until it is complete."""
        ...

    async def add(self, key: int, rows: Sequence[NewRow]) -> None:
        """Requests of a batch that is not complete."""
        ...

    async def complete(self, key: int, total: int, now: int, expires_at: int, within: Sequence[Room] = ()) -> Batch:
        """The batch has all of its requests, and is created now. Raises `NoRoom`, and has changed nothing, where it
        would go beyond one of `within`."""
        ...

    async def abandon(self, key: int) -> None:
        """A batch that will not be complete goes, with what it has."""
        ...

    async def get(self, tenant: str, id_: str) -> Batch | None:
        """A tenant's batch; None: it has none with this id."""
        ...

    async def page(self, tenant: str, limit: int, *, after: str | None, before: str | None) -> Page | None:
        """A page of a tenant's batches: those behind one of them in the list, or right before it, or the newest.

        None: the tenant has no batch with that id.
        """
        ...

    async def cancel(self, tenant: str, id_: str, now: int) -> Batch | None:
        """From now on none of its requests is begun; changes nothing where it is ended or canceled already."""
        ...

    async def delete(self, tenant: str, id_: str) -> Literal["deleted", "running"] | None:
        """An ended batch goes, with all that is kept of it; None: there is none with this id."""
        ...

    async def results(self, key: int, after: int, limit: int) -> Sequence[Result]:
        """Results of a batch in the order of its requests, from behind the one with the number `after`."""
        ...

    async def open(self, now: int) -> Sequence[Batch]:
        """The batches that have requests to be begun, the oldest first."""
        ...

    async def lease(self, batch: Batch, owner: str, most: int, now: int, until: int) -> Sequence[Leased]:
        """At most so many requests of a batch, taken for `owner` until a moment; those with one prefix follow each
        other."""
        ...

    async def renew(self, owner: str, rows: Sequence[Leased], until: int) -> None:
        """These are the owner's for longer, as far as they are its own still."""
        ...

    async def finish(self, owner: str, outcomes: Sequence[Outcome], now: int) -> int:
        """Keep what requests came to, with their records of use, and count them; a batch whose last it was is ended.
        How many were kept: those whose lease was the owner's still."""
        ...

    async def give_back(self, owner: str, rows: Sequence[Leased], *, counted: bool) -> None:
        """Others may run them. `counted`: this was an attempt."""
        ...

    async def settle(self, endings: Endings, now: int) -> bool:
        """End what nobody will run, give free what was taken and not heard of any more. Whether anything changed."""
        ...

    async def forget(self, created_before: int, begun_before: int, now: int) -> None:
        """Take away the results of ended batches that were created before a moment, and batches that were begun
        before another and never complete."""
        ...
