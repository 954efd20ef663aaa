"""One reply while it is made: engine text → events, with a truthful end."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from antiphon.errors import ApiError, EngineFault
from antiphon.service.faults import engine_error
from antiphon.service.reply.stretches import Batches
from antiphon.service.reply.work import Work
from antiphon.stream.encoder import Encoder
from antiphon.stream.fold import Folder
from antiphon.wire.events import Event
from antiphon.wire.reply import Message


class Reply:
    """Makes one reply of what happens in it. Use `begin`, then `run`; `fail` says in band what `run` raises."""

    def __init__(self, work: Work, happenings: Batches) -> None:
        task = work.task
        self._happenings = happenings
        self._encoder = Encoder(work.opening, work.context_management, estimates=task.estimates, details=task.details)

    def begin(self) -> list[Event]:
        """The events that open the reply; known before the engine has done anything."""
        return self._encoder.begin()

    def fail(self, error: ApiError, request_id: str) -> list[Event]:
        """The events that end a reply which has begun and cannot go on."""
        return self._encoder.fail(error, request_id)

    async def run(self) -> AsyncGenerator[list[Event], None]:
        """The rest of the events, in batches as they come to be; no batch is empty.

        Raises `ApiError` only. Closing the generator stops the engine's work on this reply.
        """
        feed = self._encoder.feed
        try:
            async with aclosing(self._happenings) as batches:
                async for batch in batches:
                    events = feed(batch[0]) if len(batch) == 1 else [event for one in batch for event in feed(one)]
                    if events:
                        yield events
        except EngineFault as fault:
            raise engine_error(fault) from fault

    async def whole(self) -> Message:
        """The finished message: the fold of the same events that a stream would carry."""
        folder = Folder()
        for event in self.begin():
            folder.add(event)
        async with aclosing(self.run()) as batches:
            async for events in batches:
                for event in events:
                    folder.add(event)
        return folder.message()
