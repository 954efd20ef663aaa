"""Whom a reply says it was made for: an organization, the server's, and a workspace, the key's.

Made once, from a secret of the server's, so that they say nothing of a key and outlive the process.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from antiphon.ids import make_id

CALLER: Final = "antiphon.caller"
"""Where the scope of a request holds the number of the key that was shown."""

IDENTITY: Final = "antiphon.identity"
"""Where it holds the `Identity` that knows what that number stands for."""

Derive = Callable[[bytes], bytes]
"""16 bytes that follow from a secret and a text."""

_Headers = tuple[tuple[bytes, bytes], ...]


class Identity:
    """The headers for each caller. Without keys, and before one was shown, the server's own workspace stands in."""

    def __init__(self, derive: Derive, api_keys: Sequence[str]) -> None:
        organization = str(UUID(bytes=derive(b"organization"), version=4)).encode()

        def workspace(key: bytes) -> str:
            return make_id("wrkspc_", derive(b"workspace " + key))

        def headers(workspace: str) -> _Headers:
            return ((b"anthropic-organization-id", organization), (b"anthropic-workspace-id", workspace.encode()))

        self._workspaces: dict[int | None, str] = {None: workspace(b"")}
        self._workspaces |= {number: workspace(key.encode()) for number, key in enumerate(api_keys)}
        self._headers = {caller: headers(id_) for caller, id_ in self._workspaces.items()}

    def workspace(self, caller: int | None) -> str:
        """The id of the workspace of the key with this number."""
        return self._workspaces[caller]

    def headers(self, caller: int | None) -> _Headers:
        """Those of the key with this number."""
        return self._headers[caller]
