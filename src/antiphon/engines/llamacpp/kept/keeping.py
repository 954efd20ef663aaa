"""All that keeps marked prefixes of one home: found out at its start, written to files at its end."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from antiphon.engines.llamacpp.client import LlamaClient, Server
from antiphon.engines.llamacpp.home import Running
from antiphon.engines.llamacpp.kept.slots import REST, KeptSlots
from antiphon.engines.llamacpp.kept.store import FILE_REST, Room, SavedStates
from antiphon.engines.llamacpp.slots import Slots
from antiphon.engines.supervisor import Presence
from antiphon.ports.engine import KeptPrefixes

__all__ = ["Keeper", "Keeping", "Room"]

_log = logging.getLogger("antiphon.engine")

_LAST: Final = 15.0
"""Seconds that all gets to be kept when the process is to end."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept, and where. `model`: the files of the model, for conversations of `context` tokens. `why`: why
    nothing can be kept, empty where that has to be tried. `clock`: seconds since the Unix epoch. `rest` and
    `file_rest`: see `REST` and `FILE_REST`."""

    room: Room
    model: Sequence[Path]
    context: int
    why: str = ""
    clock: Callable[[], float] = time.time
    rest: float = REST
    file_rest: float = FILE_REST


class Keeper:
    """Keeps marked prefixes of the slots of one home: `slots` fills them. `presence`: the home's process; `plain` and
    `adapted`: its slots, which may be the same."""

    def __init__(self, keeping: Keeping, presence: Presence[Any], plain: Slots, adapted: Slots) -> None:
        self._keeping = keeping
        self._presence = presence
        self._client = LlamaClient()
        self._saved = SavedStates(
            keeping.room, keeping.model, keeping.context, keeping.clock, file_rest=keeping.file_rest
        )
        make = partial(KeptSlots, saved=self._saved, client=self._client, rest=keeping.rest)
        tools = make(adapted, server=partial(self._server, adapted=True))
        bare = tools if plain is adapted else make(plain, server=self._server, adapted=False)
        self.slots: Mapping[bool, KeptSlots] = {False: bare, True: tools}
        self._each = [tools] if bare is tools else [bare, tools]
        self._opening: asyncio.Task[None] | None = None
        for slots in self._each:
            slots.why = keeping.why or None
        presence.watchers.append(self._changed)

    def directory(self) -> str:
        """Where the process finds what it saves and restores; empty where nothing can be kept."""
        if self._keeping.why:
            return ""
        try:
            return str(self._saved.staging.directory)
        except OSError as problem:
            for slots in self._each:
                slots.why = f"there is no directory for what is saved: {problem}"
            return ""

    def begin(self) -> None:
        """The process has started: find out what can be kept, and what was."""
        if not any(slots.why for slots in self._each):
            self._opening = asyncio.create_task(self._open())
            for slots in self._each:
                slots.opening = self._opening

    def report(self) -> KeptPrefixes:
        """What is kept."""
        whys = [slots.why for slots in self._each]
        known = next(filter(None, whys), None)
        return KeptPrefixes(
            works=False if known else None if None in whys else True,
            why=known or "",
            prefixes=self._saved.prefixes,
            memory=self._saved.memory,
            files=self._saved.filed,
            in_place=sum(slots.counts.in_place for slots in self._each),
            restored=sum(slots.counts.restored for slots in self._each),
            missed=sum(slots.counts.missed for slots in self._each),
            evicted=self._saved.evicted,
        )

    async def aclose(self) -> None:
        """Keep what is in slots, in bounded time; may be called more than once."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST):
                for slots in self._each:
                    await slots.aclose()
                await self._saved.aclose()
        await self._client.aclose()

    async def _open(self) -> None:
        await self._saved.open()
        if self._saved.prefixes:  # which this very model has left: it can
            for slots in self._each:
                slots.why = ""
            return
        # The other one is the same model with something merged in, and may still be loaded.
        first, *others = self._each
        await first.find_out()
        for slots in others:
            slots.why = first.why
        if first.why:
            _log.info("marked prefixes are kept in their slots alone: %s", first.why)

    def _server(self, *, adapted: bool = False) -> Server | None:
        child: Running | None = self._presence.child
        if child is None:
            return None
        address = child.second if adapted and len(self._each) > 1 else child.address
        return Server(address, child.key) if address else None

    def _changed(self) -> None:
        if self._presence.child is None:
            for slots in self._each:
                slots.forget()
