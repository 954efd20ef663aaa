"""Which requests may still need which models: one that is served no more ends behind the last that does."""

import asyncio


class Hold:
    """One request, from its coming to its end. Until it is known which model it needs, that may be any."""

    def __init__(self, holds: "Holds") -> None:
        self._holds = holds
        self._needs: object | None = None

    def settle(self, model: object | None) -> None:
        """It needs this model, and no other; None: that is open again."""
        self._needs = model
        self._holds.changed()

    def may_need(self, model: object) -> bool:
        """Whether the model has to be there for it."""
        return self._needs is None or self._needs is model

    def release(self) -> None:
        """It has ended; may be said more than once."""
        self._holds.forget(self)

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Holds:
    """The requests that are under way."""

    def __init__(self) -> None:
        self._open: set[Hold] = set()
        self._changed = asyncio.Event()

    def open(self) -> Hold:
        """One that begins."""
        hold = Hold(self)
        self._open.add(hold)
        return hold

    async def without(self, model: object) -> None:
        """Return when none of those that are under way now needs the model any more."""
        before = set(self._open)
        while any(hold.may_need(model) for hold in before):
            self._changed.clear()
            await self._changed.wait()
            before &= self._open

    def forget(self, hold: Hold) -> None:
        """It has ended."""
        self._open.discard(hold)
        self.changed()

    def changed(self) -> None:
        """Somebody may have waited for this."""
        self._changed.set()
