"""Endpoints that their owner takes out of service: they get nothing new, and finish what they have."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from antiphon.engines.remote.members import Member
from antiphon.engines.remote.pooled import Pooled

NOTICED: Final = 1.0
"""Seconds after which an owner's word is heeded, at most."""

_log = logging.getLogger("antiphon.engine")


class Drains(Protocol):
    """Where the owner says which engines are taken out of service."""

    def drained(self) -> Collection[str]:
        """Their URLs. Asked often."""
        ...

    def hold(self, url: str) -> Callable[[], None]:
        """This process still works at the engine, until what is returned is called."""
        ...


class NoDrains:
    """Nobody takes an engine out of service."""

    def drained(self) -> Collection[str]:
        """None."""
        return ()

    def hold(self, url: str) -> Callable[[], None]:
        """Nobody asks."""
        del url
        return _nothing


class Draining:
    """Heeds what the owner says of one engine's members."""

    def __init__(self, drains: Drains, members: Sequence[Member], places: Pooled) -> None:
        self._drains = drains
        self._members = members
        self._places = places
        self._held: dict[str, Callable[[], None]] = {}

    async def watch(self) -> None:
        """Heed it until cancelled."""
        while True:
            await asyncio.sleep(NOTICED)
            self.look()

    def look(self) -> None:
        """Heed it now."""
        wanted = self._drains.drained()
        for member in self._members:
            url = member.endpoint.url
            if (url in wanted) != member.drained:
                self._change(member)
            if not (member.drained and member.works):
                self._let_go(url)
            elif url not in self._held:
                self._held[url] = self._drains.hold(url)

    def close(self) -> None:
        """This process works nowhere any more."""
        for url in list(self._held):
            self._let_go(url)

    def _change(self, member: Member) -> None:
        member.drained = not member.drained
        if member.drained:
            self._places.drained(member)
            _log.warning("%s is drained: it gets nothing new, and finishes what it has", member.endpoint.url)
        else:
            if member.up:
                self._places.entered(member)
            _log.warning("%s is in service again", member.endpoint.url)

    def _let_go(self, url: str) -> None:
        if release := self._held.pop(url, None):
            release()


def _nothing() -> None:
    """Nothing to let go of."""
