"""The start and the stop of a server as lines of its log, where programs read that."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.engines.remote.endpoint import Findings

log = logging.getLogger("antiphon.server")


class LogObserver:
    """Tells the log what happens; see `ServerObserver`."""

    def stage(self, text: str) -> None:
        """A step of the start begins."""
        log.info("%s", text)

    def download(self, name: str, done: int, total: int | None) -> None:
        """So much of a file has come; told when it is all."""
        if done == total:
            log.info("%s: %d bytes have come", name, done)

    def found(self, model: str, url: str, findings: "Findings") -> None:
        """This is at a URL."""
        log.info("%s: an engine is at %s", model, url)

    def offering(self, tools: Sequence[str]) -> None:
        """The tools inside the server."""
        log.info("tools inside the server: %s", ", ".join(tools) or "none")

    def listening(self, url: str, model_names: Sequence[str], *, keyed: bool) -> None:
        """The server answers."""
        log.info("Antiphon answers at %s", url)

    def draining(self, open_requests: int) -> None:
        """The server has been asked to stop."""
        log.info("stopping: %d requests are open", open_requests)

    def close(self) -> None:
        """There is nothing to take back."""
