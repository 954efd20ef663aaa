"""One reply while it is made: engine text → events, with a truthful end."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from antiphon.errors import ApiError, EngineFault
from antiphon.service.faults import told
from antiphon.service.reply import compaction
from antiphon.service.reply.work import Work
from antiphon.stream.encoder import Encoder
from antiphon.stream.fold import Folder
from antiphon.wire.events import Event
from antiphon.wire.reply import Message

log = logging.getLogger(__name__)


class Reply:
    """Makes one reply. Use `begin`, then `run`; where `run` raises an `ApiError`, `fail` says it in band."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._encoder = Encoder(work.opening, work.context_management, estimates=work.estimates)

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
            async with aclosing(compaction.events(self._work)) as batches:
                async for batch in batches:
                    events = feed(batch[0]) if len(batch) == 1 else [event for one in batch for event in feed(one)]
                    if events:
                        yield events
        except EngineFault as fault:
            raise told(fault) from fault

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
