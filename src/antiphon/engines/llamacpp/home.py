"""Where a model runs, for the engine that asks it: one process, which several engines may share.

EmbeddedHome   (embedded/home.py)   the process is this process's own child
AttachedHome   (lent/attached.py)   the process belongs to a parent that other engines ask too
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon.engines.llamacpp.slots import Slot
from antiphon.ports.engine import Keep, KeptPrefixes


class Running(Protocol):
    """A server whose model is loaded."""

    @property
    def address(self) -> str:
        """Where it listens."""
        ...

    @property
    def key(self) -> str:
        """What it wants to be shown."""
        ...

    @property
    def second(self) -> str:
        """Where the server of a second model listens, for work that is not plain; empty where there is none, and
        until it is `settled`."""
        ...

    async def settled(self, patience: float) -> None:
        """Wait, at most `patience` seconds, until a second model is loaded too; raises `EngineFault`."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """What is to be known of a `Running` server whose models are all loaded."""

    address: str
    key: str
    second: str = ""

    async def settled(self, patience: float) -> None:
        """See `Running.settled`: it is."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a work leaves in its slot: the prefixes of its prompt that are to be kept, and how many tokens of the
    prompt it did not have to compute."""

    keep: tuple[Keep, ...]
    cached: int


class SlotKeeper(Protocol):
    """Gives every prompt a slot of its own, in turn among all who share the server."""

    async def take(self, tokens: tuple[int, ...], *, adapted: bool = True, tenant: str = "") -> Slot:
        """A slot for a prompt of these tokens; see `Slots.take`. Raises `EngineFull`."""
        ...

    def give_back(
        self,
        slot: Slot,
        prompt: tuple[int, ...],
        written: Sequence[int],
        *,
        keep: bool,
        begun: bool = True,
        left: Left | None = None,
    ) -> None:
        """The work in a slot has ended; see `Slots.give_back`. `left`: what it has read, None: not all of its
        prompt, or what cannot be kept."""
        ...

    def leave(self, slot: Slot) -> None:
        """The slot was taken, and nothing was done in it."""
        ...


class Home(Protocol):
    """A llama.cpp server that is watched and started again when it dies, and its slots."""

    @property
    def marker(self) -> str:
        """What stands for a picture in a prompt's text there."""
        ...

    @property
    def slots(self) -> Mapping[bool, SlotKeeper]:
        """Who works in which slots: those for plain work (False), and those for all other."""
        ...

    @property
    def child(self) -> Running | None:
        """The server, if it runs."""
        ...

    @property
    def detail(self) -> str:
        """Why it does not."""
        ...

    @property
    def kept(self) -> KeptPrefixes | None:
        """What is kept of prefixes beside the slots; None: nothing is to be kept."""
        ...

    @property
    def waiting(self) -> int | None:
        """How many wait for a slot; None: another process knows."""
        ...

    async def start(self) -> Running:
        """The server, once its model is loaded; raises `EngineFault`."""
        ...

    async def ready(self, patience: float) -> Running:
        """The server, waited for at most `patience` seconds; raises `EngineUnavailable`."""
        ...

    async def lost(self, running: Running, patience: float) -> None:
        """Wait, at most `patience` seconds, until the death of a server that does not answer has been noticed."""
        ...

    async def aclose(self) -> None:
        """End it, or leave it to the others; may be called more than once."""
        ...
