"""Whom a reply says it was made for: an organization, the server's, and a workspace, the key's.

Made once, from a secret of the server's, so that they say nothing of a key and outlive the process.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from antiphon.ids import make_id

CALLER: Final = "antiphon.caller"
"""Where the scope of a request holds the number of the key that was shown."""

Derive = Callable[[bytes], bytes]
"""16 bytes that follow from a secret and a text."""

_Headers = tuple[tuple[bytes, bytes], ...]


class Identity:
    """The headers for each caller. Without keys, and before one was shown, the server's own workspace stands in."""

    def __init__(self, derive: Derive, api_keys: Sequence[str]) -> None:
        organization = str(UUID(bytes=derive(b"organization"), version=4)).encode()

        def headers(workspace: bytes) -> _Headers:
            id_ = make_id("wrkspc_", derive(b"workspace " + workspace)).encode()
            return ((b"anthropic-organization-id", organization), (b"anthropic-workspace-id", id_))

        self._nobody = headers(b"")
        self._callers = [headers(key.encode()) for key in api_keys]

    def headers(self, caller: int | None) -> _Headers:
        """Those of the key with this number."""
        return self._nobody if caller is None else self._callers[caller]
