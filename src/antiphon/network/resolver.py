"""From host names to addresses."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

_THREADS: Final = 8


class Resolver(Protocol):
    """Who knows the addresses of names."""

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of the name, in the order to try them; OSError or ValueError if there are none."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class SystemResolver:
    """The machine's own resolver.

    It works in threads of its own: a lookup cannot be stopped, and a name whose servers never answer must not take
    the threads that others work in.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="antiphon-dns")

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of the name, in the order that the system prefers."""
        lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    def close(self) -> None:
        """Begin no more lookups."""
        self._threads.shutdown(wait=False, cancel_futures=True)
