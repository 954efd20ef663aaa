"""What hosts ask robots not to read: their robots.txt, read now and then.

Source: RFC 9309. The file is understood as far as the standard library understands it: rules are prefixes of paths
(patterns with `*` and `$` only where the running Python knows them), and the first that fits counts.
"""

import asyncio
from asyncio import Lock
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.robotparser import RobotFileParser

from antiphon.network.guard import Target
from antiphon.ports.fetch import FetchFault

AGENT: Final = "Antiphon"
MOST_BYTES: Final = 512 * 1024
_KEPT: Final = 3600.0
_KEPT_AFTER_A_FAILURE: Final = 60.0
_MOST_HOSTS: Final = 256

Read = Callable[[Target], Awaitable[bytes]]


@dataclass(slots=True)
class _Rules:
    """What one origin says, until `ends` on the clock; `lock` is held by who reads the file anew."""

    rules: RobotFileParser
    ends: float = float("-inf")
    lock: Lock = field(default_factory=Lock)


class Robots:
    """`read` gets a robots.txt under the guard, of at most `MOST_BYTES`; `clock` counts seconds.

    A host whose file cannot be had, for whatever reason, allows everything.
    """

    def __init__(self, read: Read, clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._hosts: OrderedDict[str, _Rules] = OrderedDict()

    async def allows(self, target: Target) -> bool:
        """Whether the host lets this server read the target. Hosts that the owner vouches for are not asked."""
        if target.owned:
            return True
        known = self._known(target.origin)
        async with known.lock:
            if known.ends <= self._clock():
                text, kept = await self._load(target)
                known.rules = await asyncio.to_thread(_parsed, text)
                known.ends = self._clock() + kept
        return known.rules.can_fetch(AGENT, target.url)

    def _known(self, origin: str) -> _Rules:
        known = self._hosts.setdefault(origin, _Rules(_parsed("")))
        self._hosts.move_to_end(origin)
        if len(self._hosts) > _MOST_HOSTS:
            self._hosts.popitem(last=False)
        return known

    async def _load(self, target: Target) -> tuple[str, float]:
        """The file's text, and how long it stands."""
        try:
            data = await self._read(replace(target, path="/robots.txt"))
        except FetchFault:
            return "", _KEPT_AFTER_A_FAILURE
        return data.decode("utf-8-sig", errors="replace"), _KEPT


def _parsed(text: str) -> RobotFileParser:
    parser = RobotFileParser()
    parser.parse(text.splitlines())
    return parser
