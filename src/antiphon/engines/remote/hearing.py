"""What is heard in a stream of events: each event is read where it comes in, so that nothing has to pass it on."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

_Said = TypeVar("_Said", covariant=True)


class Hears(Protocol[_Said]):
    """Hears one stream. `over`: nothing of it is wanted any more."""

    @property
    def over(self) -> bool:
        """See there."""
        ...

    def __call__(self, event: dict[str, Any]) -> Sequence[_Said]:
        """What this event says."""
        ...

    def end(self) -> None:
        """The stream has ended by itself; raises where it has not said all."""
        ...


class AsItIs:
    """Hears the events themselves. Whether the stream came to its end is for the caller to see."""

    over = False

    def __call__(self, event: dict[str, Any]) -> Sequence[dict[str, Any]]:
        """The event."""
        return (event,)

    def end(self) -> None:
        """Nothing."""
