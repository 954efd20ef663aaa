"""Rows of containers in the memory of one process."""

from collections.abc import Sequence
from dataclasses import replace

from antiphon.ports.containers import StoredContainer


class MemoryContainers:
    """A `ContainerStore` that is gone with its process."""

    def __init__(self) -> None:
        self._rows: dict[str, StoredContainer] = {}

    async def add(self, container: StoredContainer) -> None:
        self._rows[container.id] = container

    async def find(self, tenant: str, id_: str) -> StoredContainer | None:
        found = self._rows.get(id_)
        return found if found is not None and found.tenant == tenant else None

    async def keep(self, id_: str, machine: str, expires_at: float) -> bool:
        return await self.move(id_, machine, machine, expires_at)

    async def move(
        self, id_: str, machine: str, to: str, expires_at: float, *, expired_by: float | None = None
    ) -> bool:
        row = self._rows.get(id_)
        if row is None or row.machine != machine or (expired_by is not None and row.expires_at > expired_by):
            return False
        self._rows[id_] = replace(row, machine=to, expires_at=expires_at)
        return True

    async def expired(self, machine: str, before: float, limit: int) -> Sequence[str]:
        due = [row.id for row in self._rows.values() if row.machine == machine and row.expires_at <= before]
        return due[:limit]

    async def count(self, machine: str, after: float) -> int:
        return sum(row.machine == machine and row.expires_at > after for row in self._rows.values())

    async def remove(self, id_: str) -> None:
        self._rows.pop(id_, None)
