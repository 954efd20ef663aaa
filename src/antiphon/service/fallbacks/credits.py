"""What refusals leave their clients to send with the same request to another model."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import msgspec
from msgspec.structs import replace

from antiphon.dialogue.events import Finish, ReplyEvent, ServerAnswer
from antiphon.ports.system import Clock, Entropy
from antiphon.request.asked import Asked
from antiphon.request.sealed.credits import minted, sealed
from antiphon.seals import NONCE_BYTES, Seals
from antiphon.service.fallbacks.attempts import Attempt
from antiphon.service.reply.stretches import Batches
from antiphon.stream.encoder import Encoder
from antiphon.stream.fold import Folder
from antiphon.wire.base import WireContext
from antiphon.wire.gates import FALLBACK, FALLBACK_CREDIT
from antiphon.wire.request import CreateMessage, InputMessage

_TOLD: Final = FALLBACK | FALLBACK_CREDIT


class Credits:
    """Puts tokens into refusals for those whose headers ask for them."""

    def __init__(self, seals: Seals, clock: Clock, entropy: Entropy) -> None:
        self._seals = seals
        self._clock = clock
        self._entropy = entropy

    def follow(self, asked: Asked[CreateMessage], who: Callable[[], Attempt], happenings: Batches) -> Batches:
        """What happens in the reply to what was `asked`. `who`: the attempt that it ends with."""
        return self._credited(asked, who, happenings) if asked.context.unlocks(_TOLD) else happenings

    async def _credited(
        self, asked: Asked[CreateMessage], who: Callable[[], Attempt], happenings: Batches
    ) -> Batches:
        heard, ran = _Heard(), False
        async with aclosing(happenings) as batches:
            async for batch in batches:
                ran = ran or any(isinstance(event, ServerAnswer) for event in batch)
                # A reply that nobody reads is not declined when it has begun.
                if who().work.watch is not None:
                    heard.add(batch, who())
                ended = batch[-1]
                if isinstance(ended, Finish) and ended.reason == "refusal":
                    said = heard.said(asked.context)
                    yield [*batch[:-1], self._with_token(asked, who(), ended, said, ran=ran)]
                else:
                    yield batch

    def _with_token(
        self, asked: Asked[CreateMessage], attempt: Attempt, ended: Finish, said: InputMessage | None, *, ran: bool
    ) -> Finish:
        case, marked = asked.case, attempt.work.marked
        # An answer of a given form, and a call that is forced, cannot be gone on from.
        goes_on = said if case.output_format is None and not case.forces_a_tool else None
        warm = 0 if marked is None else marked.found if attempt.declined is not None else marked.marks[-1].tokens
        now, model = self._clock.now(), attempt.model
        credit = minted(asked.request, asked.context, goes_on, model=model, now=now, ran=ran, warm=warm)
        token = sealed(credit, self._seals, self._entropy.bytes(NONCE_BYTES))
        told = {"fallback_credit_token": token, "fallback_has_prefill_claim": credit.said is not None}
        return replace(ended, stop_details={**(ended.stop_details or {}), **told})


class _Heard:
    """What the client is told of a reply, as it would send it back."""

    def __init__(self) -> None:
        self._encoder: Encoder | None = None
        self._folder = Folder()

    def add(self, batch: list[ReplyEvent], attempt: Attempt) -> None:
        if self._encoder is None:
            self._encoder = Encoder(attempt.work.opening)
            for event in self._encoder.begin():
                self._folder.add(event)
        for happening in batch:
            for event in self._encoder.feed(happening):
                self._folder.add(event)

    def said(self, context: WireContext) -> InputMessage | None:
        content = self._folder.content()
        if not content:
            return None
        return InputMessage.model_validate(
            {"role": "assistant", "content": msgspec.to_builtins(content)}, context=context
        )
