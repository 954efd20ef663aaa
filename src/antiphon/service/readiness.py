"""Whether requests are best sent here now, for those who send them: balancers and orchestrators."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from antiphon.ports.stores import StoreError
from antiphon.service.models import ModelService

LASTS: Final = 1.0
"""Seconds that an answer of the database holds: anybody may ask, and nobody may keep it busy with that."""
PATIENCE: Final = 3.0
"""Seconds that it gets for one."""

Ping = Callable[[], Awaitable[None]]
"""Nothing, where the database answers; `StoreError` where it does not."""


class Readiness:
    """Knows whether a model can answer, and the database does. `ping`: asks it; None: there is none."""

    def __init__(self, models: ModelService, ping: Ping | None = None) -> None:
        self._models = models
        self._ping = ping
        self._until = float("-inf")
        self._answers = False
        self._asking = asyncio.Lock()

    async def ready(self) -> bool:
        """Whether a request can be answered here: by one model at least."""
        states = await self._models.health()
        return any(state.ready for state in states.values()) and await self._database()

    async def _database(self) -> bool:
        if self._ping is None:
            return True
        time = asyncio.get_running_loop().time
        async with self._asking:
            if time() >= self._until:
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._ping()
                    self._answers = True
                except (StoreError, TimeoutError):
                    self._answers = False
                self._until = time() + LASTS
            return self._answers
