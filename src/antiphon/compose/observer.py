"""Who watches a server start and stop, and what keeps one from starting."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from antiphon.engines.remote.endpoint import Findings


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

    def listening(self, url: str, model_names: Sequence[str]) -> None:
        """The server answers at `url`."""
        ...

    def draining(self, open_requests: int) -> None:
        """The server stops; so many requests are still open."""
        ...
