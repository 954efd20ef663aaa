"""A llama.cpp server as far as slots are concerned, and what the tests of kept prefixes share."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from antiphon.engines.llamacpp.client import LlamaClient, Server
from antiphon.engines.llamacpp.home import Left
from antiphon.engines.llamacpp.kept.slots import KeptSlots
from antiphon.engines.llamacpp.kept.store import Room, SavedStates
from antiphon.engines.llamacpp.slots import Slot, Slots, common_start
from antiphon.errors import EngineFault, EngineRefused
from antiphon.ports.engine import Keep

SERVER = Server("http://127.0.0.1:1", "key")
MEBIBYTE = 1024 * 1024


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what nothing announces."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


class Clock:
    """Time that stands still."""

    def __init__(self, now: float = 1000.0) -> None:
        self.time = now

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self.time


class Slotted(LlamaClient):
    """Slots that hold tokens; what they are saved to is a file in `directory`, of `weight` bytes a token."""

    def __init__(self, saved: SavedStates, weight: int = 100) -> None:
        super().__init__()
        self.slots: dict[int, tuple[int, ...]] = {}
        self.calls: list[str] = []
        self.fails: set[str] = set()
        self.failure: type[EngineFault] = EngineRefused
        self.gates: dict[str, asyncio.Event] = {}
        self.forgets = False
        self._saved = saved
        self._weight = weight

    async def save(self, server: Server, slot: int, name: str) -> int:
        """Save."""
        await self._called("save", slot)
        tokens = self.slots.get(slot, ())
        said = json.dumps(tokens).encode()
        (self._directory / name).write_bytes(said.ljust(self._weight * len(tokens), b" "))
        return len(tokens)

    async def restore(self, server: Server, slot: int, name: str) -> int:
        """Restore."""
        await self._called("restore", slot)
        self.slots[slot] = tuple(json.loads((self._directory / name).read_bytes()))
        return len(self.slots[slot])

    async def erase(self, server: Server, slot: int) -> None:
        """Erase."""
        await self._called("erase", slot)
        self.slots[slot] = ()

    async def tokenize(self, server: Server, content: object, *, special: bool, ends: bool = False) -> list[int]:
        """A few tokens."""
        return list(range(20))

    async def read(self, server: Server, slot: int, tokens: Sequence[int]) -> int:
        """Read a prompt; how many tokens were there."""
        await self._called("read", slot)
        prompt = tuple(tokens)
        shared = 0 if self.forgets else common_start(self.slots.get(slot, ()), prompt)
        self.slots[slot] = prompt
        return shared

    @property
    def _directory(self) -> Path:
        return self._saved.staging.directory

    async def _called(self, what: str, slot: int) -> None:
        if what in self.gates:
            await self.gates[what].wait()
        self.calls.append(f"{what} {slot}")
        if what in self.fails:
            raise self.failure(f"{what} failed")


class House:
    """Slots of a server, kept ones; `ask` is one request. `rest`: nothing is saved for resting, unless it is 0."""

    def __init__(
        self,
        count: int = 1,
        *,
        room: Room | None = None,
        clock: Clock | None = None,
        rest: float = 3600.0,
        model: Sequence[Path] = (),
    ) -> None:
        self.clock = clock or Clock()
        self.saved = SavedStates(room or Room(MEBIBYTE), model, 100, self.clock.now, file_rest=0.0)
        self.client = Slotted(self.saved)
        self.server: Server | None = SERVER
        self.kept = KeptSlots(Slots(count), self.saved, self.client, lambda: self.server, rest=rest)
        self.kept.why = ""

    async def ask(self, prompt: tuple[int, ...], *marks: Keep, tenant: str = "") -> int:
        """Have a prompt read; how many of its tokens were not computed."""
        slot = await self.kept.take(prompt, tenant=tenant)
        cached = await self.client.read(SERVER, slot.number, prompt)
        self.kept.give_back(slot, prompt, (), keep=False, left=Left(marks, cached))
        return cached

    async def take(self, prompt: tuple[int, ...]) -> Slot:
        """A slot for a prompt."""
        return await self.kept.take(prompt)

    def keep(self, tokens: int, key: bytes = b"key", seconds: int = 300) -> Keep:
        """A mark of now."""
        return Keep(tokens, key, seconds, self.clock.time + seconds)

    async def aclose(self) -> None:
        """Keep all, and end."""
        await self.kept.aclose()
        await self.saved.aclose()
