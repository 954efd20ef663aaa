"""Who is told what a reply comes to."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

from antiphon.dialogue.events import Begun, Charge, Finish, ReplyEvent
from antiphon.service.reply.stretches import Batches


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


class Watched(Protocol):
    """Sees all that happens in a reply."""

    def saw(self, batch: Sequence[ReplyEvent]) -> None:
        """This has happened."""
        ...

    def over(self) -> None:
        """The reply has ended, whole or not."""
        ...


async def metered(happenings: Batches, meter: Meter | None, watched: Watched | None = None) -> Batches:
    """What happens, told to the meter, and shown to who has watched it."""
    pieces, failed = 0, False
    try:
        async with aclosing(happenings) as batches:
            async for batch in batches:
                if watched is not None:
                    watched.saw(batch)
                if meter is not None:
                    pieces += len(batch)
                    if isinstance(batch[0], Begun):
                        meter.began(batch[0].charge)
                    if isinstance(batch[-1], Finish):
                        meter.ended(batch[-1])
                yield batch
    except Exception:
        failed = True
        raise
    finally:
        if watched is not None:
            watched.over()
        if meter is not None:
            meter.broken(pieces, failed=failed)
