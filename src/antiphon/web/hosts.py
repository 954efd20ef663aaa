"""By which names the server may be asked, while it takes every key.

A page in a browser may let its own name point at this machine and then read what the server answers. Its requests
still carry that name as `Host`, so a name that nobody gave to this machine is refused. A key protects by itself.
"""

from collections.abc import Collection
from typing import Final

from antiphon.errors import ApiError
from antiphon.web.names import is_loopback, name_in

ANY: Final = "*"
_REMEMBERED: Final = 64  # clients use a few
_FROM_CONTAINERS: Final = frozenset({b"host.docker.internal", b"host.containers.internal"})
"""What containers call the machine that they run on; no public name ends so."""


class HostCheck:
    """Knows the names. `allowed`: those beside loopback and the address that is listened on; `*` = every one."""

    def __init__(self, allowed: Collection[str], *, keys: bool) -> None:
        self._open = keys or ANY in allowed
        self._allowed = _FROM_CONTAINERS | {name.encode() for name in allowed}

        self._known: set[tuple[bytes, object]] = set()

    def check(self, host: bytes | None, listening: tuple[str, int | None] | None) -> None:
        """Raise a 403 for a `Host` that is not allowed. `listening`: the address that the request came to.

        A request without `Host` is no browser's.
        """
        if self._open or host is None or (host, listening) in self._known:
            return
        if self._allows(host, "" if listening is None else listening[0]):
            if len(self._known) < _REMEMBERED:
                self._known.add((host, listening))
            return
        name = name_in(host).decode("latin-1")
        raise ApiError(
            "permission_error",
            f"host: this server takes every key, and is not to be called {name!r}. "
            "Its owner can set an API key, or name this host in allowed_hosts.",
        )

    def _allows(self, host: bytes, listening: str) -> bool:
        name = name_in(host)
        address = f"[{listening}]" if ":" in listening else listening
        return is_loopback(name) or name in self._allowed or name == address.encode()
