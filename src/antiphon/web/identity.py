"""Whom a reply says it was made for: an organization, the server's, and a workspace, the key's.

Those of the server and of keys in the settings are made once, from a secret of the server's, so that they say nothing
of a key and outlive the process. Keys of the store bring theirs.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from antiphon.ids import make_id

CALLER: Final = "antiphon.caller"
"""Where the scope of a request holds the `Caller` whose key was shown; nothing where none was wanted."""

IDENTITY: Final = "antiphon.identity"
"""Where it holds the `Identity` of the server."""

LIMITS: Final = "antiphon.limits"
"""Where it holds what the reply says of limits, as headers by name; nothing where there are none."""

Derive = Callable[[bytes], bytes]
"""16 bytes that follow from a secret and a text."""

_Headers = tuple[tuple[bytes, bytes], ...]


def organization(derive: Derive) -> str:
    """The id of the server's organization."""
    return str(UUID(bytes=derive(b"organization"), version=4))


class Caller(Struct, frozen=True):
    """Who asks: a key by its id, and the workspace that it belongs to. `models`: patterns of the names that it may
    ask for; None: all of them."""

    workspace: str
    key: str = ""
    models: tuple[str, ...] | None = None


class Identity:
    """Callers whose keys are in the settings, and the headers for each. Without keys, and before one was shown, the
    server's own workspace stands in."""

    def __init__(self, derive: Derive, api_keys: Sequence[str]) -> None:
        self._organization = organization(derive).encode()

        def caller(key: bytes) -> Caller:
            workspace = make_id("wrkspc_", derive(b"workspace " + key))
            return Caller(workspace, make_id("apikey_", derive(b"key " + key)) if key else "")

        self.nobody: Final = caller(b"")
        self._callers = [caller(key.encode()) for key in api_keys]

    @property
    def workspaces(self) -> set[str]:
        """Those of the keys in the settings, and the server's own."""
        return {caller.workspace for caller in (self.nobody, *self._callers)}

    def configured(self, number: int) -> Caller:
        """Who shows the key with this number."""
        return self._callers[number]

    def headers(self, caller: Caller | None) -> _Headers:
        """Those of a reply to this caller."""
        workspace = (caller or self.nobody).workspace
        return (
            (b"anthropic-organization-id", self._organization),
            (b"anthropic-workspace-id", workspace.encode()),
        )
