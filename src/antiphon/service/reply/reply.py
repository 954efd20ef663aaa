"""One reply while it is made: engine text → events, with a truthful end."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from antiphon.dialogue.events import Begun, Charge, CodeCall, Finish, ReplyEvent
from antiphon.errors import ApiError, EngineFault
from antiphon.service.faults import engine_error
from antiphon.service.reply.stretches import Batches
from antiphon.service.reply.work import Work
from antiphon.stream.encoder import Encoder
from antiphon.stream.fold import Folder
from antiphon.wire.events import Event, MessageStop
from antiphon.wire.reply import Message


class Keeper(Protocol):
    """Keeps what a reply comes to."""

    async def keep(self, message: Message) -> None:
        """The reply is whole, and its end not told yet: who hears of it finds it kept."""
        ...

    async def aclose(self) -> None:
        """The reply has ended, whole or not."""
        ...


class Meter(Protocol):
    """Is told what a reply comes to."""

    def began(self, charge: Charge) -> None:
        """The engine has begun, and this is what it reads."""
        ...

    def ended(self, finish: Finish) -> None:
        """The reply is whole."""
        ...

    def broken(self, pieces: int, *, failed: bool) -> None:
        """The reply has ended: where it was not whole, after so many pieces, which are about as many tokens.
        `failed`: in an error, and not because its client has gone."""
        ...


class Reply:
    """Makes one reply of what happens in it. `whole`: its events are put together to one body.

    `run` brings the events but those that open the reply: `begin` has them, and they are sent before any other.
    """

    def __init__(
        self,
        work: Work,
        happenings: Batches,
        keeper: Keeper | None = None,
        meter: Meter | None = None,
        *,
        whole: bool = False,
    ) -> None:
        task = work.task
        self._meter = meter
        self._happenings = happenings
        self._keeper = keeper
        self._folder = Folder()
        self._encoder = Encoder(
            work.opening, work.context_management, estimates=task.estimates, details=task.details, whole=whole
        )
        self._opening: list[Event] = []
        self._opened = False
        if not work.waits_to_open:
            self._open()

    @property
    def opened(self) -> bool:
        """Whether it is known how the reply opens."""
        return self._opened

    def begin(self) -> list[Event]:
        """The events that open the reply, once.

        Known at once, or where marks ask for caching, when the engine has said how much of the prompt it had read
        before; none until then, and before `run` has brought anything they are there.
        """
        opening, self._opening = self._opening, []
        return opening

    def fail(self, error: ApiError, request_id: str) -> list[Event]:
        """The events that end a reply which has begun and cannot go on."""
        if not self._opened:
            self._open()
        return self._encoder.fail(error, request_id)

    def run(self) -> AsyncGenerator[list[Event], None]:
        """The rest of the events, in batches as they come to be; one that is empty says that the reply has opened.

        Raises `ApiError` only. Closing the generator stops the engine's work on this reply.
        """
        return self._events() if self._keeper is None else self._kept(self._keeper)

    async def _kept(self, keeper: Keeper) -> AsyncGenerator[list[Event], None]:
        try:
            async with aclosing(self._events()) as batches:
                async for events in batches:
                    for event in events:
                        self._folder.add(event)
                    if any(isinstance(event, MessageStop) for event in events):
                        await keeper.keep(self._folder.message())
                    yield events
        finally:
            await keeper.aclose()

    async def _events(self) -> AsyncGenerator[list[Event], None]:
        feed, meter, pieces, failed = self._encoder.feed, self._meter, 0, False
        try:
            async with aclosing(self._happenings) as batches:
                async for batch in batches:
                    if meter is not None:
                        pieces += len(batch)
                        _tell(meter, batch)
                    if not self._opened:
                        first = batch[0]
                        if isinstance(first, CodeCall):
                            ending = self._open_whole(batch)
                            yield []
                            yield ending
                            continue
                        self._open(first.charge if isinstance(first, Begun) else None)
                        yield []
                    events = feed(batch[0]) if len(batch) == 1 else [event for one in batch for event in feed(one)]
                    if events:
                        yield events
        except EngineFault as fault:
            failed = True
            raise engine_error(fault) from fault
        except Exception:
            failed = True
            raise
        finally:
            if meter is not None:
                meter.broken(pieces, failed=failed)

    async def whole(self) -> Message:
        """The finished message: the fold of the same events that a stream would carry."""
        async with aclosing(self.run()) as batches:
            async for events in batches:
                if self._keeper is None:
                    for event in events:
                        self._folder.add(event)
        return self._folder.message()

    def _open(self, charge: Charge | None = None) -> None:
        self._opened = True
        self._opening = self._encoder.begin(charge)
        for event in self._opening:
            self._folder.add(event)

    def _open_whole(self, batch: Sequence[ReplyEvent]) -> list[Event]:
        """Open with all that the reply has: calls that code goes on to make. What is left is its end."""
        calls, [finish] = (
            [one for one in batch if isinstance(one, CodeCall)],
            [one for one in batch if isinstance(one, Finish)],
        )
        self._opened = True
        opening, *ending = self._encoder.filled(calls, finish)
        self._opening = [opening]
        self._folder.add(opening)
        return ending


def _tell(meter: Meter, batch: Sequence[ReplyEvent]) -> None:
    """Tell the meter what happens."""
    if isinstance(batch[0], Begun):
        meter.began(batch[0].charge)
    if isinstance(batch[-1], Finish):
        meter.ended(batch[-1])
