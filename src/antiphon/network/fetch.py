"""Files from other hosts, fetched under guard."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from antiphon.config import NetworkSettings
from antiphon.network.asking import OpenSocket, Patience, Redirect, Wanted, plain_socket
from antiphon.network.guard import Guard, Target
from antiphon.network.resolver import Resolver, SystemResolver
from antiphon.network.robots import MOST_BYTES, Robots
from antiphon.network.trust import Trust
from antiphon.ports.fetch import Fetched, RobotsDisallow, Unreachable

if TYPE_CHECKING:
    from antiphon.network.pinned import PinnedClient

_PLAIN_TEXT: Final = ("text/plain", "*/*;q=0.1")

Permit = Callable[[Target], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Seconds: until the name is resolved, and again until the connection stands (`connect`); that a host may say
    nothing (`silence`); for a host's robots.txt, all in all (`robots`). `redirects`: how many are followed."""

    connect: float = 5.0
    silence: float = 10.0
    robots: float = 5.0
    redirects: int = 5


class GuardedFetcher:
    """A `Fetcher` that a URL cannot talk into visiting the inside.

    Each URL, also of a redirect and of a robots.txt, is judged, its name resolved once, every address of the answer
    judged, and the connection made to just these. `resolver`, `open_socket` and `clock` are for tests. Raises
    OSError if the settings' `ca_file` cannot be read. How many files are fetched at once is the caller's affair.
    """

    def __init__(
        self,
        settings: NetworkSettings,
        *,
        limits: FetchLimits = FetchLimits(),
        resolver: Resolver | None = None,
        open_socket: OpenSocket = plain_socket,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout = settings.timeout
        self._limits = limits
        self._guard = Guard(settings.allow_hosts)
        self._resolver = SystemResolver() if resolver is None else resolver
        self._trust = Trust(settings.ca_file)
        self._open_socket = open_socket
        self._robots = Robots(self._read_robots, clock)

    async def fetch(self, url: str, *, max_bytes: int, accept: Sequence[str] = ("*/*",)) -> Fetched:
        """The file at the URL, at most `max_bytes` long, within the settings' `timeout`."""
        target = self._guard.target(url)
        async with _deadline(self._timeout, target):
            return await self._follow(target, Wanted(max_bytes, accept), self._check_robots)

    async def aclose(self) -> None:
        """Begin nothing more."""
        self._resolver.close()

    @cached_property
    def _client(self) -> "PinnedClient":
        # Its library takes 8 MiB, which a server that fetches nothing does without.
        from antiphon.network.pinned import PinnedClient

        return PinnedClient(Patience(self._limits.connect, self._limits.silence), self._trust, self._open_socket)

    async def _follow(self, target: Target, wanted: Wanted, permit: Permit) -> Fetched:
        """What is found at the target, or where it redirects to; `permit` is asked before each visit."""
        begun = target
        for _ in range(self._limits.redirects + 1):
            await permit(target)
            answer = await self._client.get(target, await self._addresses(target), wanted)
            if not isinstance(answer, Redirect):
                return answer
            target = self._guard.redirected(target, answer.location)
        raise Unreachable(f"{begun.origin}: more than {self._limits.redirects} redirects")

    async def _addresses(self, target: Target) -> tuple[str, ...]:
        if target.is_address:
            return self._guard.check(target, [target.host])
        try:
            async with asyncio.timeout(self._limits.connect):
                found = await self._resolver.addresses(target.host, target.port)
        except (OSError, ValueError) as problem:
            why = str(problem) or "no answer in time"
            raise Unreachable(f"{target.origin}: the name cannot be resolved ({why})") from problem
        return self._guard.check(target, found)

    async def _check_robots(self, target: Target) -> None:
        if not await self._robots.allows(target):
            raise RobotsDisallow(f"{target.origin}: its robots.txt disallows this file")

    async def _read_robots(self, target: Target) -> bytes:
        async with _deadline(self._limits.robots, target):
            found = await self._follow(target, Wanted(MOST_BYTES, _PLAIN_TEXT, cut=True), _anything)
        return found.data


async def _anything(_: Target) -> None:
    """A robots.txt itself may always be read."""


@asynccontextmanager
async def _deadline(seconds: float, target: Target) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as problem:
        raise Unreachable(f"{target.origin}: nothing whole within {seconds:g} s") from problem
