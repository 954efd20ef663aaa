"""Containers: where the code of a conversation runs, from one request to the next. Protocols and one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from antiphon.ports.sandbox import Sandbox

NOWHERE: Final = ""
"""The machine of a container that lies on no disk: it is packed, and may be unpacked anywhere."""


@dataclass(frozen=True, slots=True)
class StoredContainer:
    """A container. `machine`: whose disk has it, or `NOWHERE`. `expires_at`: seconds since the epoch; it may be used
    until then."""

    id: str
    tenant: str
    machine: str
    expires_at: float


class ContainerStore(Protocol):
    """The rows of containers. All raise `StoreError`."""

    async def add(self, container: StoredContainer) -> None:
        """Add a container."""
        ...

    async def find(self, tenant: str, id_: str) -> StoredContainer | None:
        """The container of this tenant."""
        ...

    async def keep(self, id_: str, machine: str, expires_at: float) -> bool:
        """Let it expire then, if it is on this machine; whether it is."""
        ...

    async def move(
        self, id_: str, machine: str, to: str, expires_at: float, *, expired_by: float | None = None
    ) -> bool:
        """Have it on another machine from now on, if it is on this one, and had expired by then; whether so."""
        ...

    async def expired(self, machine: str, before: float, limit: int) -> Sequence[str]:
        """The ids of containers on this machine that had expired by then; so many at most."""
        ...

    async def count(self, machine: str, after: float) -> int:
        """How many containers on this machine expire after that."""
        ...

    async def remove(self, id_: str) -> None:
        """Forget it."""
        ...


class Container(Protocol):
    """The container of one reply. One call at a time works in it."""

    @property
    def id(self) -> str | None:
        """Its id; None where it was never entered, and the request names none."""
        ...

    @property
    def folders(self) -> frozenset[str]:
        """The folders of this machine that what begins in it now sees: those of the reply's skills."""
        ...

    @property
    def meeting(self) -> str | None:
        """Where processes of this machine speak about it, a folder that only they see; None: there are no others."""
        ...

    async def enter(self) -> Sandbox:
        """Wait for its turn; the sandbox, made where there is none yet. `ToolProblem` where it cannot be had."""
        ...

    async def stay(self) -> None:
        """Have the turn for another while; `ToolProblem` where it has been lost."""
        ...

    async def leave(self) -> None:
        """Give up the turn."""
        ...

    async def keep_file(self, sandbox: Sandbox, path: str, name: str) -> str | None:
        """Keep a file of the sandbox for its client; the id. None: this server keeps no files. `ToolProblem`."""
        ...

    async def told(self) -> Mapping[str, Any] | None:
        """What the reply says of it: its id, and until when it is kept; None where nothing ran in it."""
        ...
