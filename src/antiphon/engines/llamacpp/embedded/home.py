"""A server in a child process of our own, with its slots."""

from collections.abc import Mapping
from typing import Final

from antiphon.engines.llamacpp.embedded.child import Load
from antiphon.engines.llamacpp.embedded.process import EngineProcess
from antiphon.engines.llamacpp.home import Running
from antiphon.engines.llamacpp.slots import MOST_WAITING, Slots
from antiphon.engines.supervisor import Supervisor

LOAD_TIMEOUT: Final = 1800.0


class EmbeddedHome:
    """Keeps a child running that has loaded what `load` says; see `Home`. `presence`: who watches it live and die;
    `queue`: how many may wait for a slot. `soon`: it runs as soon as the first model is loaded; who needs a second
    one waits for that (`EngineProcess.settled`)."""

    def __init__(
        self, load: Load, load_timeout: float = LOAD_TIMEOUT, *, queue: int = MOST_WAITING, soon: bool = False
    ) -> None:
        self._load = load
        self._load_timeout = load_timeout
        self._soon = soon
        self.presence = Supervisor(self._launch)
        plain = Slots(load.parallel, queue=queue)
        with_tools = Slots(load.parallel, queue=queue) if load.second else plain
        self.slots: Mapping[bool, Slots] = {False: plain, True: with_tools}
        self.marker = load.marker

    @property
    def child(self) -> EngineProcess | None:
        """The running process."""
        return self.presence.child

    @property
    def detail(self) -> str:
        """Why none runs."""
        return self.presence.detail

    async def start(self) -> EngineProcess:
        """Load the model for the first time."""
        return await self.presence.start()

    async def ready(self, patience: float) -> EngineProcess:
        """The running process; see `Home.ready`."""
        return await self.presence.ready(patience)

    async def lost(self, running: Running, patience: float) -> None:
        """See `Home.lost`."""
        if isinstance(running, EngineProcess):
            await self.presence.lost(running, patience)

    async def aclose(self) -> None:
        """End the process."""
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
