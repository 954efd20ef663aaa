"""The endpoints of one model, and the places that they have."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from antiphon.engines.remote.endpoint import Endpoint, Findings
from antiphon.ports.engine import Done, EngineOutput, PrefillProgress


@dataclass(slots=True, eq=False)
class Member:
    """An endpoint and what is known of it. `up`: it answers, and has the model that it should have. `detail`: why it
    is not up. `trace`: what it told of itself when that was found; `seen`: when it last did, on the loop's clock.
    `works`: how many it has now. `refused`: the trace of what was found unfit, so that it is not tried again.
    `drained`: its owner has taken it out of service."""

    endpoint: Endpoint
    up: bool = False
    detail: str = "it has not been asked yet"
    findings: Findings | None = None
    trace: str = ""
    seen: float = float("-inf")
    works: int = 0
    refused: str = ""
    drained: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    doubted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def takes(self) -> bool:
        """Whether it gets new work."""
        return self.up and not self.drained

    @property
    def shown(self) -> str:
        """How it stands, in words for the owner."""
        if self.drained:
            return f"drained, {self.works} of this process's requests open" if self.works else "drained"
        return "in service" if self.up else self.detail


@dataclass(slots=True, eq=False)
class Place:
    """One of the works that a member does at once. `has_read`: called when its prompt has been read. `thinks`: more
    of the same reply is likely to follow its end; `ended`: it has come to its end. `reads`: its prompt is still being
    read."""

    member: Member
    has_read: Callable[[], None]
    thinks: bool
    ended: bool = False
    reads: bool = True

    def hears(self, output: EngineOutput) -> None:
        """What the member says of the work."""
        if self.reads and not isinstance(output, PrefillProgress):
            self.reads = False
            self.has_read()
        self.ended = isinstance(output, Done)
