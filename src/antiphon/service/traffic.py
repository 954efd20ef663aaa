"""How much is asked of this server now, by those who wait for it."""

from collections.abc import Callable


class Traffic:
    """Counts the requests that somebody waits for. `told`: called whenever there are fewer or more of them."""

    def __init__(self) -> None:
        self.open = 0
        self.told: Callable[[], None] | None = None

    def come(self) -> None:
        """One more."""
        self._change(1)

    def gone(self) -> None:
        """One less."""
        self._change(-1)

    def _change(self, by: int) -> None:
        self.open += by
        if self.told is not None:
            self.told()
