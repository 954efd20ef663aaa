"""Who watches a server start and stop, and what keeps one from starting."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from antiphon.engines.remote.endpoint import Findings

log = logging.getLogger(__name__)


class StartError(Exception):
    """The server cannot start. The text says why and what to do."""


class ServerObserver(Protocol):
    """Somebody who watches the server start and stop."""

    def stage(self, text: str) -> None:
        """A step of the start begins."""
        ...

    def download(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of a file have come."""
        ...

    def found(self, model: str, url: str, findings: "Findings") -> None:
        """This is at one of the URLs of a model that is in somebody else's engines."""
        ...

    def offering(self, tools: Sequence[str]) -> None:
        """These tools run inside the server, each by its name and whose work it is."""
        ...

    def listening(self, url: str, model_names: Sequence[str], *, keyed: bool) -> None:
        """The server answers at `url`. `keyed`: nobody is let in without a key."""
        ...

    def draining(self, open_requests: int) -> None:
        """The server stops; so many requests are still open."""
        ...


class LoggedObserver:
    """A `ServerObserver` of what is started while the server answers: the log has a word of it."""

    def stage(self, text: str) -> None:
        """A step begins."""
        log.info("%s", text)

    def download(self, name: str, done: int, total: int | None) -> None:
        """A file comes; that it is whole is worth a line."""
        if done == total:
            log.info("%s has come", name)

    def found(self, model: str, url: str, findings: "Findings") -> None:
        """This is at a URL."""
        log.info("%s is at %s", model, url)

    def offering(self, tools: Sequence[str]) -> None:
        """Nothing is said: tools are those of the start."""

    def listening(self, url: str, model_names: Sequence[str], *, keyed: bool) -> None:
        """Nothing is said."""

    def draining(self, open_requests: int) -> None:
        """Nothing is said."""
