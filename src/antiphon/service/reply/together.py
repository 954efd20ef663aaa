"""What an engine brings together is read together.

Each thing that happens in a reply goes through some five generators on its way to the client. What lies ready between
two waits goes through them at once: nothing comes later than it would alone, since nobody is waited for meanwhile.
"""

import asyncio
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Final, TypeVar

MOST: Final = 64
"""Items that are taken together at most."""

_Item = TypeVar("_Item")


def together(
    source: AsyncGenerator[_Item, None], *, last: Callable[[_Item], bool], most: int = MOST
) -> AsyncGenerator[list[_Item], None]:
    """All that the source brings; what comes without a wait between in one list. `last`: is given each item at once,
    and says whether a list ends with it: the source is not asked for what is behind that until somebody wants more.

    Its error comes behind what it brought before. Closing the generator ends the source, and waits for that.
    """
    return _Together(source, last, most)


class _Together(AsyncGenerator[list[_Item], None]):
    """Takes the source's steps by hand: each brings an item at once, or a future that would have to be waited for."""

    def __init__(self, source: AsyncGenerator[_Item, None], last: Callable[[_Item], bool], most: int) -> None:
        self._source = source
        self._last = last
        self._most = most
        self._problem: Exception | None = None
        # A step that waits, and for what.
        self._step: Generator[Any, Any, _Item] | None = None
        self._waits_for: Any = None

    def __anext__(self) -> Awaitable[list[_Item]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._burst()

    async def asend(self, value: None, /) -> list[_Item]:
        """The next list."""
        return await self._burst()

    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> list[_Item]:
        """End the source, and raise that."""
        await self.aclose()
        raise typ

    async def aclose(self) -> None:
        """End the source, and wait for that."""
        step, self._step = self._step, None
        try:
            if step is not None:
                await _cancel(step, self._waits_for)
        finally:
            await self._source.aclose()

    @types.coroutine
    def _burst(self) -> Generator[Any, Any, list[_Item]]:
        """What comes until the source waits again."""
        item: _Item
        step, self._step = self._step, None
        if self._problem is not None:
            problem, self._problem = self._problem, None
            raise problem
        if step is None:
            item = yield from self._source.__anext__().__await__()
        else:
            try:
                yield self._waits_for
            except BaseException as problem:
                item = yield from thrown(step, problem)
            else:
                item = yield from step
        came, last = [item], self._last
        while not last(item) and len(came) < self._most:
            ahead: Any = self._source.__anext__()
            try:
                self._waits_for = ahead.send(None)
            except StopIteration as brought:
                item = brought.value
                came.append(item)
            except Exception as raised:
                self._problem = raised
                break
            else:
                self._step = ahead
                break
        return came


def thrown(step: Any, problem: BaseException) -> Generator[Any, Any, Any]:
    """What a step that waits brings, although this reached it."""
    try:
        waits_for = step.throw(problem)
        while True:
            try:
                yield waits_for
            except BaseException as another:
                waits_for = step.throw(another)
            else:
                waits_for = step.send(None)
    except StopIteration as brought:
        return brought.value


async def _cancel(step: Any, waits_for: Any) -> None:
    """End the step as a task's cancelling would; what is cancelled from outside meanwhile stays so."""
    task = asyncio.current_task()
    asked = 0 if task is None else task.cancelling()
    try:
        await _cancelled(step, waits_for)
    except StopAsyncIteration:
        pass
    except asyncio.CancelledError:
        if task is not None and task.cancelling() > asked:
            raise


@types.coroutine
def _cancelled(step: Any, waits_for: Any) -> Generator[Any, Any, None]:
    if waits_for is None:  # it only lets others have their turn
        yield from thrown(step, asyncio.CancelledError())
        return
    waits_for.cancel()
    try:
        yield waits_for
    except BaseException as problem:
        yield from thrown(step, problem)
    else:
        yield from step
