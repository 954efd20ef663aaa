"""One reply that several models may work for: each that declines hands over to the next, on the same stream.

What a model has said before it declines stands in a stream, and its text is what the next one goes on from. In one
piece nothing of it is told, and the next one begins anew. Where a model has had the server's tools run, or has
summarized, its refusal stands: nothing of that is done twice. Source: Refusals and fallback page.
"""

import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from msgspec import UNSET
from msgspec.structs import replace

from antiphon.dialogue.events import (
    Begun,
    CallEnd,
    CallStart,
    Charge,
    Compacted,
    FellBack,
    Finish,
    Iteration,
    ReplyEvent,
    ServerAnswer,
    TextDelta,
)
from antiphon.errors import ApiError, EngineFault
from antiphon.request.asked import Asked
from antiphon.service.fallbacks.attempts import Attempt
from antiphon.service.fallbacks.chain import Chain, Fallbacks
from antiphon.service.faults import engine_error
from antiphon.service.reply.rounds import spent
from antiphon.service.reply.stretches import Batches
from antiphon.wire.reply import Message
from antiphon.wire.request import CreateMessage

log = logging.getLogger(__name__)

_CROWDED = ("rate_limit_error", "overloaded_error")


@dataclass(slots=True)
class _Heard:
    """What one model has said. `ran`: the server has worked for it. `calls`: a call is open."""

    texts: list[str] = field(default_factory=list[str])
    began: bool = False
    ran: bool = False
    calls: bool = False

    def add(self, batch: Sequence[ReplyEvent]) -> None:
        for event in batch:
            self.began = self.began or not isinstance(event, Begun)
            match event:
                case TextDelta(text=text):
                    self.texts.append(text)
                case ServerAnswer() | Compacted():
                    self.ran = True
                case CallStart() | CallEnd():
                    self.calls = isinstance(event, CallStart)
                case _:
                    pass


@dataclass(frozen=True, slots=True)
class _Refused:
    """A model that has declined, how, and how many blocks and iterations there were before it."""

    attempt: Attempt
    ended: Finish
    iterations: int


class Run:
    """Makes the events; `events` once. `whole`: the reply is sent in one piece."""

    def __init__(self, fallbacks: Fallbacks, chain: Chain, first: Attempt, *, whole: bool) -> None:
        self._fallbacks = fallbacks
        self._chain = chain
        self._attempt = first
        self._whole = whole
        self._spent: list[Iteration] = []
        self._said = ""
        self._opened: Attempt | None = None
        self._begun: list[ReplyEvent] = []
        self._hops: list[ReplyEvent] = []
        self._refused: _Refused | None = None
        self._recommended: str | None = None
        self._ended = Finish("end_turn", 0)
        self._held: list[list[ReplyEvent]] = []

    @property
    def attempt(self) -> Attempt:
        """The one that is under way; at the end, the one that the reply ends with."""
        return self._attempt

    @property
    def asked(self) -> Asked[CreateMessage]:
        """What was asked of the first model."""
        return self._chain.asked

    def opening(self) -> Message:
        """The reply as it opens: whose it is when it does."""
        self._opened = self._attempt
        return self._attempt.work.opening

    async def events(self) -> Batches:
        """The events in batches as they come to be; the last of all is the reply's one `Finish`."""
        try:
            while True:
                heard = _Heard()
                try:
                    async with aclosing(self._try(heard)) as batches:
                        async for batch in batches:
                            yield batch
                except (ApiError, EngineFault) as problem:
                    if not self._stands(problem, heard):
                        raise
                    ended = self._end_refused()
                    yield [*self._hops, ended]
                    return
                ended, held = self._ended, self._held
                if ended.reason == "refusal" and self._may_hand_over(heard) and await self._hand_over(heard, ended):
                    continue
                for batch in held:
                    for passed in self._passed(batch):
                        yield passed
                for passed in self._passed([self._end(ended)]):
                    yield passed
                return
        finally:
            self._attempt.release()

    async def _try(self, heard: _Heard) -> Batches:
        """What the model says that may be told at once; what may not is held."""
        holds = self._whole and bool(self._chain.links)
        self._held = []
        async with aclosing(self._attempt.happenings()) as batches:
            async for batch in batches:
                said = batch
                if isinstance(batch[-1], Finish):
                    said, self._ended = batch[:-1], batch[-1]
                if not said:
                    continue
                heard.add(said)
                if holds:
                    self._held.append(said)
                    continue
                for passed in self._passed(said):
                    yield passed

    def _passed(self, batch: list[ReplyEvent]) -> list[list[ReplyEvent]]:
        """The batch as it is told, behind what waits for something to be told at all."""
        if len(batch) == 1 and isinstance(batch[0], Begun):
            self._begun = batch if self._opened is None else []
            return []
        begun, hops = self._begun, self._hops
        self._begun, self._hops = [], []
        return [*([begun] if begun else []), [*hops, *batch]]

    def _may_hand_over(self, heard: _Heard) -> bool:
        if not self._chain.links or heard.ran:
            return False
        # What has been sent of an answer of a given form cannot be gone on from by another model.
        formed = bool(heard.texts) and self._attempt.asked.case.output_format is not None
        return self._whole or not (heard.calls or formed)

    async def _hand_over(self, heard: _Heard, ended: Finish) -> bool:
        """Whether another model goes on."""
        said = self._said if self._whole else self._said + "".join(heard.texts)
        link = self._chain.take()
        # It is one request still, where only so many may be open at once.
        self._attempt.release()
        try:
            following = await self._fallbacks.attempt(self._chain, link, said.rstrip(), self._attempt.watch)
        except ApiError as problem:
            self._recommend(problem, link.model)
            return False
        attempt, self._attempt = self._attempt, following
        self._refused = _Refused(attempt, ended, len(self._spent))
        self._said, self._begun = said, []
        self._spent += _iterations(attempt, ended)
        category = (ended.stop_details or {}).get("category")
        self._hops.append(FellBack(self._name(attempt), following.model, category))
        return True

    def _recommend(self, problem: ApiError, model: str) -> None:
        log.info("the fallback model %s is not asked: %s", model, problem)
        self._recommended = model if problem.type in _CROWDED else None

    def _stands(self, problem: ApiError | EngineFault, heard: _Heard) -> bool:
        """Whether the refusal before stands, since the model that was to go on cannot be asked now."""
        error = engine_error(problem) if isinstance(problem, EngineFault) else problem
        if self._refused is None or heard.began or error.type not in _CROWDED:
            return False
        self._recommend(error, self._attempt.model)
        return True

    def _end_refused(self) -> Finish:
        """The end with the refusal before, as if nobody had been asked behind it."""
        assert self._refused is not None
        refused = self._refused
        self._attempt.release()
        self._attempt = refused.attempt
        del self._spent[refused.iterations :]
        self._hops.pop()
        return self._end(refused.ended)

    def _name(self, attempt: Attempt) -> str:
        """The model as the client knows it: the one that it has named by that name."""
        return self._chain.asked.request.model if attempt.model == self._chain.model else attempt.model

    def _end(self, ended: Finish) -> Finish:
        """The end of the reply: counts of the model that answered, and what each has come to."""
        attempt = self._attempt
        if ended.reason == "refusal":
            details = {**(ended.stop_details or {}), "recommended_model": self._recommended}
            ended = replace(ended, stop_details=details)
        by_another = attempt.model != self._chain.model
        if not by_another:
            return ended
        if ended.reason != "refusal":
            self._fallbacks.served(self._chain, attempt.model)
        own = _iterations(attempt, ended)
        charge = sum((one.charge for one in own if one.kind == "message"), Charge(0))
        last = max((at for at, one in enumerate(own) if one.kind == "message"), default=None)
        if last is not None:
            own[last] = replace(own[last], kind="fallback_message")
        work, opening = attempt.work, attempt.work.opening
        edited, changed = work.context_management, opening.input_transformations
        if ended.context_management is None and edited is not UNSET:
            ended = replace(ended, context_management=edited)
        if self._opened not in (None, attempt) and changed is not UNSET:
            ended = replace(ended, input_transformations=changed)
        if work.task.details and ended.thinking_tokens is None:
            ended = replace(ended, thinking_tokens=0)
        return replace(ended, iterations=(*self._spent, *own), charge=charge)


def _iterations(attempt: Attempt, ended: Finish) -> list[Iteration]:
    """What a model's work came to, with its name."""
    own = ended.iterations or (spent("message", attempt.work, ended),)
    return [replace(one, model=attempt.model) for one in own]
