"""What is known of files that clients have uploaded, and tools have made: the port, and one file as a value.

The bytes are elsewhere, in an `ObjectStore` (`ports.objects`), under a file's `key`. A row is added when all of its
bytes are there, and taken away before they are: what is listed can be had. Every question names a tenant, and is
answered with that tenant's files alone; others' do not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

FOLDER = "files/"
"""What the keys of all files' objects begin with."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file. Times are microseconds since the Unix epoch.

    `key`: of its object. `digest`: SHA-256 of its bytes, in hex. `downloadable`: a tool has made it. `expires_at`:
    None: never. `gone`: it has expired, and its bytes were taken away.
    """

    id: str
    tenant: str
    filename: str
    mime_type: str
    size: int
    created_at: int
    key: str
    digest: str
    downloadable: bool = False
    expires_at: int | None = None
    gone: bool = False

    def has_expired(self, now: int) -> bool:
        """Whether nobody gets its bytes any more."""
        return self.gone or (self.expires_at is not None and self.expires_at <= now)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list of files, which is ordered by time and id."""

    created_at: int
    id: str


class FileStore(Protocol):
    """The rows of files. All raise what `ports.stores` says."""

    async def add(self, file: StoredFile, quota: int | None) -> bool:
        """Add a file; False, and nothing happens, where all tenants' files would then have more than `quota` bytes.

        This holds for files that are added at the same time too, by any server.
        """
        ...

    async def used(self) -> int:
        """The bytes of all tenants' files, less those that are gone."""
        ...

    async def find(self, tenant: str, ids: Sequence[str]) -> Sequence[StoredFile]:
        """Those of the files that are there, newest first."""
        ...

    async def older(self, tenant: str, than: Place | None, limit: int) -> Sequence[StoredFile]:
        """So many files at most behind a place in the list, newest first; without one, from the list's beginning."""
        ...

    async def newer(self, tenant: str, than: Place, limit: int) -> Sequence[StoredFile]:
        """So many files at most right before a place in the list, newest first."""
        ...

    async def place(self, tenant: str, id_: str) -> Place | None:
        """Where a file stands in the list, or stood until it was removed, not long ago."""
        ...

    async def remove(self, tenant: str, id_: str, now: int) -> StoredFile | None:
        """Take a file away; the one that was there, or None."""
        ...

    async def expired(self, before: int, limit: int) -> Sequence[StoredFile]:
        """Files of all tenants that had expired by then, and are not gone; so many at most."""
        ...

    async def mark_gone(self, id_: str) -> None:
        """Note that a file's bytes are taken away."""
        ...

    async def forget(self, expired: int, removed: int) -> None:
        """Keep nothing any more of gone files that had expired by then, nor of files that were removed by then."""
        ...

    async def unknown(self, keys: Sequence[str]) -> Sequence[str]:
        """Those of the keys that are of no file whose bytes are there."""
        ...
