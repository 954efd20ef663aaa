"""What an engine brings together is read together.

Each thing that happens in a reply goes through some five generators on its way to the client. What lies ready between
two waits goes through them at once: nothing comes later than it would alone, since nobody is waited for meanwhile.
"""

import asyncio
import types
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Any, Final, Generic, TypeVar

MOST: Final = 64
"""Items that are taken together at most."""

_Item = TypeVar("_Item")


async def together(
    source: AsyncGenerator[_Item, None], *, last: Callable[[_Item], bool], most: int = MOST
) -> AsyncGenerator[list[_Item], None]:
    """All that the source brings; what comes without a wait between in one list. `last`: is given each item at once,
    and says whether a list ends with it: the source is not asked for what is behind that until somebody wants more.

    Its error comes behind what it brought before. Closing the generator ends the source, and waits for that.
    """
    waiting: _Waiting[_Item] | None = None
    async with aclosing(source):
        try:
            while True:
                came: list[_Item] = []
                problem: Exception | None = None
                try:
                    pending, waiting = waiting, None
                    came.append(await (anext(source) if pending is None else pending))
                except StopAsyncIteration:
                    return
                ends = last(came[-1])
                while len(came) < most and not ends:
                    step = source.__anext__()
                    try:
                        # A step by hand: it brings an item at once, or a future that would have to be waited for.
                        waits_for = step.send(None)  # type: ignore[attr-defined]
                    except StopIteration as brought:
                        came.append(brought.value)
                        ends = last(brought.value)
                    except Exception as raised:
                        problem = raised
                        break
                    else:
                        waiting = _Waiting(step, waits_for)
                        break
                yield came
                if isinstance(problem, StopAsyncIteration):
                    return
                if problem is not None:
                    raise problem
        finally:
            if waiting is not None:
                await waiting.cancel()


class _Waiting(Generic[_Item]):
    """A step of a source that waits; to be awaited, or cancelled."""

    def __init__(self, step: Any, waits_for: Any) -> None:
        self._step = step
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, _Item]:
        step, waits_for = self._step, self._waits_for
        try:
            while True:
                try:
                    answer = yield waits_for
                except BaseException as problem:
                    waits_for = step.throw(problem)
                else:
                    waits_for = step.send(answer)
        except StopIteration as brought:
            return brought.value

    async def cancel(self) -> None:
        """End the step as a task's cancelling would; what is cancelled from outside meanwhile stays so."""
        task = asyncio.current_task()
        asked = 0 if task is None else task.cancelling()
        try:
            if self._waits_for is None:
                await self._thrown()
            else:
                self._waits_for.cancel()
                await self
        except StopAsyncIteration:
            pass
        except asyncio.CancelledError:
            if task is not None and task.cancelling() > asked:
                raise

    @types.coroutine
    def _thrown(self) -> Generator[Any, Any, None]:
        """The same for a step that only lets others have their turn."""
        try:
            self._waits_for = self._step.throw(asyncio.CancelledError())
        except StopIteration:
            return
        yield from self.__await__()
