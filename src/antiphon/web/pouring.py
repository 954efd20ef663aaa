"""What comes together is sent together: a source is emptied before anybody waits for it.

An engine often brings several pieces between two waits, because its socket held them or because other replies had
their turn. Sent one by one, each costs a walk through the server's layers; held until the source has to be waited
for, they cost one, and none of them is sent later than the loop's very turn in which it came.
"""

import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, TypeVar

from antiphon.service.reply.together import thrown

_Item = TypeVar("_Item")


@types.coroutine
def pour(
    source: AsyncGenerator[_Item, None], take: Callable[[_Item], bool], flush: Callable[[], Awaitable[None]]
) -> Generator[Any, Any, None]:
    """Give `take` all that the source brings; `flush` before every wait for it, and where `take` says that it is due.

    What is left when the source ends or fails is the caller's to flush. An error of `flush`, and a cancellation while
    it waits, are thrown into the source first, like everything that reaches a source that is waited for.
    """
    while True:
        step: Generator[Any, Any, _Item] = source.__anext__()  # type: ignore[assignment]
        try:
            # A step by hand: it either brings an item at once, or a future that would have to be waited for.
            waits_for = step.send(None)
        except StopIteration as brought:
            item: _Item = brought.value
        except StopAsyncIteration:
            return
        else:
            try:
                try:
                    yield from flush().__await__()
                    yield waits_for
                except BaseException as problem:
                    item = yield from thrown(step, problem)
                else:
                    item = yield from step
            except StopAsyncIteration:
                return
        if take(item):
            yield from flush().__await__()
