"""What a reply comes to, as a record: exactly what its client is told of it.

A reply that its client leaves counts what it had read and about what it had written; one that ends in an error counts
nothing.
"""

from collections.abc import Callable, Sequence
from typing import Final

from antiphon.dialogue.events import Charge, Finish
from antiphon.ports.system import Clock
from antiphon.ports.usage import Tokens, UsageRecord, Window
from antiphon.service.reply.metering import Meter
from antiphon.service.reply.work import Work
from antiphon.wire.base import WireContext
from antiphon.wire.moments import micros

LONG: Final = 200_000
"""Tokens of a prompt behind which it is a long one. Source: Usage and cost reports, context_window."""

_SEARCHES: Final = "web_search_requests"

Note = Callable[[UsageRecord], None]


class Accounts:
    """Opens an account for each reply. `notes`: are told the record when the reply has ended."""

    def __init__(self, clock: Clock, *notes: Note) -> None:
        self._clock = clock
        self._notes = notes

    def open(self, work: Work, context: WireContext) -> "Account":
        """The account of one reply."""
        return Account(work, context, self._clock, self._notes)


class Account:
    """Is told what one reply comes to, as its `Meter`. `record`: that, once it has ended; None where it failed."""

    def __init__(self, work: Work, context: WireContext, clock: Clock, notes: Sequence[Note]) -> None:
        self._work = work
        self._context = context
        self._clock = clock
        self._notes = notes
        self._begun: list[Charge] = []
        self.record: UsageRecord | None = None
        self._over = False

    def began(self, charge: Charge) -> None:
        """The engine has begun, and this is what it reads."""
        self._begun.append(charge)

    def ended(self, finish: Finish) -> None:
        """The reply is whole."""
        charges = [each.charge for each in finish.iterations]
        if not charges:
            charges = [finish.charge or (self._begun[0] if self._begun else self._opened)]
        summaries = sum(each.output_tokens for each in finish.iterations if each.kind == "compaction")
        self._end(
            sum(charges, Charge(0)), finish.output_tokens + summaries, (finish.tool_uses or {}).get(_SEARCHES, 0)
        )

    def broken(self, pieces: int, *, failed: bool) -> None:
        """The reply has ended."""
        if failed:
            self._over = True
        else:
            self._end(sum(self._begun, Charge(0)) if self._begun else self._opened, pieces, 0)

    @property
    def _opened(self) -> Charge:
        """What the reply's opening says where the engine says nothing else."""
        return Charge(self._work.opening.usage.input_tokens)

    def _end(self, charge: Charge, output: int, searches: int) -> None:
        if self._over:
            return
        self._over = True
        opening, context = self._work.opening, self._context
        window: Window = "200k-1M" if len(self._work.prompt.tokens) > LONG else "0-200k"
        self.record = UsageRecord(
            opening.id,
            micros(self._clock.now()),
            context.key or None,
            context.tenant,
            opening.model,
            "batch" if context.batch else "standard",
            window,
            opening.usage.inference_geo,
            Tokens(charge.input, charge.read, charge.brief, charge.lasting, output, searches),
        )
        for note in self._notes:
            note(self.record)


class Both:
    """Tells two meters the same."""

    def __init__(self, one: Meter, other: Meter) -> None:
        self._meters = (one, other)

    def began(self, charge: Charge) -> None:
        """The engine has begun."""
        for meter in self._meters:
            meter.began(charge)

    def ended(self, finish: Finish) -> None:
        """The reply is whole."""
        for meter in self._meters:
            meter.ended(finish)

    def broken(self, pieces: int, *, failed: bool) -> None:
        """The reply has ended."""
        for meter in self._meters:
            meter.broken(pieces, failed=failed)
