"""Batches in a server that runs: their runner works as long as it does, what is past its time goes."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from antiphon.compose.stores import Stores
from antiphon.config import Settings
from antiphon.web.routes import Services

SWEEP: Final = 3600.0
"""Seconds between two looks for what is past its time."""


class Ending:
    """Tells that the server takes no more requests, to whoever works beside them."""

    def __init__(self) -> None:
        self._told: list[Callable[[], None]] = []

    def tell(self, whom: Callable[[], None]) -> None:
        """Call it then."""
        self._told.append(whom)

    def begin(self) -> None:
        """That is so now; may be said more than once."""
        for told in self._told:
            told()


def run_batches(
    services: Services, settings: Settings, stores: Stores, ending: Ending, running: AsyncExitStack
) -> None:
    """Run the requests of batches from now on, until `running` is closed; from the server's ending on, only those
    that have been begun."""
    batches, runner = services.batches, services.runner
    assert batches is not None
    assert runner is not None

    async def forget(_: float) -> None:
        await batches.forget()

    stores.sweeper.add("batches", SWEEP, forget)
    ending.tell(runner.stop)
    runner.start()
    running.push_async_callback(runner.aclose, settings.drain_timeout)
