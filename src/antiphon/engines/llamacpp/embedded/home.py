"""A server in a child process of our own, with its slots."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from antiphon.engines.llamacpp.embedded.child import Load
from antiphon.engines.llamacpp.embedded.process import EngineProcess
from antiphon.engines.llamacpp.home import Running, SlotKeeper
from antiphon.engines.llamacpp.kept.keeping import Keeper, Keeping
from antiphon.engines.llamacpp.slots import MOST_WAITING, Slots
from antiphon.engines.supervisor import Supervisor
from antiphon.ports.engine import KeptPrefixes

LOAD_TIMEOUT: Final = 1800.0


class EmbeddedHome:
    """Keeps a child running that has loaded what `load` says; see `Home`. `presence`: who watches it live and die;
    `queue`: how many may wait for a slot; `keeping`: what is kept of marked prefixes, None for nothing. `soon`: it
    runs as soon as the first model is loaded; who needs a second one waits for that (`EngineProcess.settled`)."""

    def __init__(
        self,
        load: Load,
        load_timeout: float = LOAD_TIMEOUT,
        *,
        queue: int = MOST_WAITING,
        keeping: Keeping | None = None,
        soon: bool = False,
    ) -> None:
        self._load = load
        self._load_timeout = load_timeout
        self._soon = soon
        self.presence = Supervisor(self._launch)
        plain = Slots(load.parallel, queue=queue)
        with_tools = Slots(load.parallel, queue=queue) if load.second else plain
        self._queues = {plain, with_tools}
        self._keeper = None if keeping is None else Keeper(keeping, self.presence, plain, with_tools)
        self.slots: Mapping[bool, SlotKeeper] = {False: plain, True: with_tools}
        if self._keeper is not None:
            self.slots = self._keeper.slots
        self.marker = load.marker

    @property
    def child(self) -> EngineProcess | None:
        """The running process."""
        return self.presence.child

    @property
    def detail(self) -> str:
        """Why none runs."""
        return self.presence.detail

    @property
    def kept(self) -> KeptPrefixes | None:
        """See `Home.kept`."""
        return None if self._keeper is None else self._keeper.report()

    @property
    def waiting(self) -> int:
        """See `Home.waiting`."""
        return sum(slots.waiting for slots in self._queues)

    async def start(self) -> EngineProcess:
        """Load the model for the first time."""
        if self._keeper is not None:
            self._load = replace(self._load, kept_in=self._keeper.directory())
        child = await self.presence.start()
        if self._keeper is not None:
            self._keeper.begin()
        return child

    async def ready(self, patience: float) -> EngineProcess:
        """The running process; see `Home.ready`."""
        return await self.presence.ready(patience)

    async def lost(self, running: Running, patience: float) -> None:
        """See `Home.lost`."""
        if isinstance(running, EngineProcess):
            await self.presence.lost(running, patience)

    async def aclose(self) -> None:
        """End the process, once what is in its slots is kept."""
        if self._keeper is not None:
            await self._keeper.aclose()
        await self.presence.aclose()

    async def _launch(self) -> EngineProcess:
        child = await EngineProcess.launch(self._load, self._load_timeout)
        if not self._soon:
            try:
                await child.settled(self._load_timeout)
            except BaseException:
                await child.stop()
                raise
        return child
