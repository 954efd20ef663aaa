"""Where keys are kept that were made for callers: the port. Moments are microseconds since the epoch.

Of a key only its digest is kept. Nothing is ever taken out, so that what was done with a key keeps its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key. `digest`: of the key itself; `hint`: how it begins and ends, for people. `workspace`: whose it is, as an
    id, and `workspace_name` as people call it. `models`: patterns of the names it may ask for; None: all of them.

    `admin`: it asks about the server, and for no replies. `ends_at`: from when on it is good no more; `revoked`:
    somebody said so.
    """

    id: str
    digest: str
    name: str
    hint: str
    workspace: str
    workspace_name: str
    created_at: int
    models: tuple[str, ...] | None = None
    admin: bool = False
    ends_at: int | None = None
    revoked: bool = False

    def good(self, now: int) -> bool:
        """Whether it may be used."""
        return self.ends_at is None or now < self.ends_at


class KeyStore(Protocol):
    """Keeps keys. Every method raises `StoreError`."""

    async def version(self) -> int:
        """A number that is another one whenever anything has changed; 0: there has never been a key."""
        ...

    async def all(self) -> Sequence[StoredKey]:
        """Every key there ever was, the oldest first."""
        ...

    async def workspace(self, wanted: str, new_id: str, now: int) -> tuple[str, str]:
        """Id and name of the workspace that is called so, or that has this id; made where there is none, under
        `new_id` where only a name is known."""
        ...

    async def add(self, key: StoredKey, replaces: str | None = None, ends_at: int = 0) -> None:
        """Add a key. `replaces`: the id of one that is good no more from `ends_at` on, at the latest."""
        ...

    async def revoke(self, id_: str, now: int) -> bool:
        """The key is good no more; False where that was so already, or there is none."""
        ...
