"""What workers tell of themselves: a worker that is asked for the metrics asks the others through the parent."""

import asyncio
import pickle
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

from antiphon.service.measuring import Measured, Measures
from antiphon.service.metrics import Family

PATIENCE: Final = 2.0
"""Seconds that a worker gets to tell of itself; who says nothing is left out."""

Say = Callable[[dict[str, Any], bytes], None]


class Asked:
    """Questions to the other end that wait for their answers. `say`: sends one."""

    def __init__(self, say: Say, question: str) -> None:
        self._say = say
        self._question = question
        self._numbers = count(1)
        self._wait: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, data: bytes = b"", *, patience: float = PATIENCE) -> Any:
        """The answer; None where none comes in time."""
        number = next(self._numbers)
        answer = self._wait[number] = asyncio.get_running_loop().create_future()
        self._say({self._question: number}, data)
        try:
            async with asyncio.timeout(patience):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._wait[number]

    def answered(self, number: int, data: bytes) -> None:
        """This is one, pickled."""
        waiting = self._wait.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(pickle.loads(data))


class Peers:
    """The other workers, as one of them sees them. `number`: its own; `say`: tells the parent."""

    def __init__(self, number: int, say: Say) -> None:
        self._number = number
        self._say = say
        self._asked = Asked(say, "gather")
        self._measures: Measures | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def join(self, measures: Measures) -> None:
        """Tell the others of this from now on."""
        self._measures = measures

    async def gather(self, own: Sequence[Family]) -> Measured:
        """What all of them tell, this one included."""
        told: Measured | None = await self._asked.ask(patience=2 * PATIENCE)
        return {**(told or {}), str(self._number): list(own)}

    def hear(self, message: dict[str, Any], data: bytes) -> None:
        """What the parent says: it asks, or answers."""
        if "gathered" in message:
            self._asked.answered(message["gathered"], data)
            return
        task = asyncio.create_task(self._tell(message["measure"]))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, number: int) -> None:
        told = [] if self._measures is None else await self._measures.families()
        self._say({"measured": number}, pickle.dumps(told))
