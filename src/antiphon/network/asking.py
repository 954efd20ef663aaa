"""What is asked of a host, and what it may say instead of an answer."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SocketInfo = tuple[int, int, int, str, tuple[Any, ...]]
OpenSocket = Callable[[SocketInfo], socket.socket]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask for. `cut`: of a body that is too long the beginning is wanted."""

    max_bytes: int
    accept: Sequence[str]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """The host says that the file is elsewhere; nobody has judged `location`."""

    location: str


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until a connection stands, and that a host may say nothing."""

    connect: float
    silence: float


def plain_socket(info: SocketInfo) -> socket.socket:
    """A socket for the address."""
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)
