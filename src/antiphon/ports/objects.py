"""Where the bytes of files and batches are kept: the port."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Final, Protocol

PIECE_BYTES: Final = 1024 * 1024
"""The most bytes that are read in one piece."""


class ObjectStore(Protocol):
    """Keeps bytes under keys: names between slashes, such as `files/ab/file_1`. All but `aclose` raise `StoreError`.

    A name is made of letters, digits and any of `_-.`, and is not made of dots alone.
    """

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        """Keep the bytes, and say how many they are; what was kept under the key before is replaced.

        They are there once all of them are, and are then kept whatever becomes of this process. Where the store, the
        chunks or the caller fail before, or are cancelled, nothing is left of them.
        """
        ...

    def read(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        """The bytes from `start` on, in pieces of at most `PIECE_BYTES`; none from the end on. `ObjectMissing`."""
        ...

    async def delete(self, key: str) -> None:
        """Nothing is kept under the key afterwards; it need not have been there."""
        ...

    def keys(self, prefix: str) -> AsyncIterator[str]:
        """The keys that begin so, in no order; of what is being put, none."""
        ...

    async def aclose(self) -> None:
        """Let go of what the store holds; nothing is asked of it afterwards."""
        ...
