"""What of a prompt is cached, and how its tokens are charged.

The ledger of marks says what may be counted as read, the engine says what it did not have to compute: the smaller is
told. What the ledger promised and the engine has lost is written again, and counted so. A prefix is known to others
from the moment on in which the engine has begun with it, and for as long as its mark says, from the request's start.

Where a prefix ends in tokens is found on the shorter side of the prompt; of beginnings it is remembered.
Source: API reference, Prompt caching.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Final

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.events import Charge
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.memory import Kept
from antiphon.ports.caching import Entry, Ledger
from antiphon.ports.engine import Engine, Keep
from antiphon.render.prompt.places import cut
from antiphon.request.asked import Asked
from antiphon.request.caching import SECONDS, has_marks, prefixes
from antiphon.service.served import ServedModel
from antiphon.wire.request import CreateMessage

log = logging.getLogger(__name__)

_MOST_REMEMBERED: Final = 4096

_LASTING: Final = SECONDS["1h"]

_SEAM: Final = 32
"""Characters; no token that begins before a place reaches further behind it than that, or it is looked for anew."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A prefix that is to be kept, and the tokens of it."""

    tokens: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Marked:
    """What of a prompt of so many `tokens` is to be kept: one mark at least, the longest prefix last.

    `found`: the tokens of the longest prefix that the ledger knew when the request `started`. `credit`: those that
    are charged as if they had been read.
    """

    tokens: int
    found: int
    marks: tuple[Mark, ...]
    ledger: Ledger
    started: float
    credit: int = 0

    @property
    def keep(self) -> tuple[Keep, ...]:
        """The marks as an engine is told of them."""
        return tuple(
            Keep(mark.tokens, mark.entry.key, mark.entry.seconds, self.started + mark.entry.seconds)
            for mark in self.marks
        )

    def charge(self, reused: int) -> Charge:
        """How the prompt is charged where the engine did not compute so many of its tokens."""
        read = max(min(self.found, reused), min(self.credit, self.marks[-1].tokens))
        last = max(self.marks[-1].tokens, read)
        lasting = max((mark.tokens for mark in self.marks if mark.entry.seconds == _LASTING), default=read)
        lasting = min(max(lasting, read), last)
        return Charge(self.tokens - last, read, brief=last - lasting, lasting=lasting - read)

    async def begin(self, reused: int) -> Charge:
        """The same, when the engine has begun: others may read what is marked from now on."""
        await self.ledger.keep([mark.entry for mark in self.marks], self.started)
        return self.charge(reused)


class Caching:
    """Finds what of prompts is to be cached. Raises the engine's faults."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._remembered: Kept[bytes, int] = Kept(_MOST_REMEMBERED)
        self._told: set[str] = set()

    async def marked(
        self,
        asked: Asked[CreateMessage],
        served: ServedModel,
        conversation: Conversation,
        prompt: RenderedPrompt,
        today: date,
        now: float,
    ) -> Marked | None:
        """What of the conversation's prompt is to be cached; None: no mark asks for it, or all stand too early."""
        if not has_marks(asked.case):
            return None
        row = prefixes(asked, asked.context.tenant)
        marked = row.marked
        places = served.prompts.places(conversation, prompt.segments, today=today) if marked else None
        if places is None:
            if marked:
                self._tell_of(served.engine.card.id)
            return None
        ends = places.ends([position.path for position in row.positions])
        known: dict[int, int] = {}

        async def tokens(at: int) -> int:
            end = ends[at]
            if end not in known:
                known[end] = await self._tokens(served, prompt, end)
            return known[end]

        least = max(1, asked.target.profile.min_cache_tokens)
        if await tokens(marked[-1]) < least:
            return None
        sought = list(row.sought())
        hit = await self._ledger.find([row.positions[at].key for at in sought], now)
        marks: list[Mark] = []
        for at in marked:
            position, long = row.positions[at], await tokens(at)
            if position.seconds is not None and long >= least:
                marks.append(Mark(long, Entry(position.key, position.seconds)))
        found = 0 if hit is None else await tokens(sought[hit])
        credit = 0 if asked.credit is None else asked.credit.tokens
        return Marked(len(prompt.tokens), found, tuple(marks), self._ledger, now, credit)

    def _tell_of(self, model: str) -> None:
        if model not in self._told:
            self._told.add(model)
            log.warning(
                "the chat template of %s does not tell where in a prompt a text stands: requests with cache marks "
                "are answered, and nothing of them is counted as cached",
                model,
            )

    async def _tokens(self, served: ServedModel, prompt: RenderedPrompt, end: int) -> int:
        """How many tokens of the prompt are whole before a place of its text."""
        engine, (before, behind) = served.engine, cut(prompt.segments, end)
        if _length(behind) <= end:
            tail = await engine.tokenize(behind, begins=False) if behind else ()
            if not tail or prompt.tokens[-len(tail) :] == tail:
                return len(prompt.tokens) - len(tail)
        if any(segment.image for segment in before):
            return await _shared(engine, before, prompt.tokens)
        key = _digest(served.number, before, behind)
        remembered = self._remembered.get(key)
        if remembered is None:
            remembered = await _shared(engine, before, prompt.tokens)
            self._remembered.put(key, remembered)
        return remembered


async def _shared(engine: Engine, before: Sequence[Segment], tokens: tuple[int, ...]) -> int:
    """How many of the tokens are those of this beginning, too."""
    own = await engine.tokenize(before)
    return next((at for at, (one, two) in enumerate(zip(own, tokens, strict=False)) if one != two), len(own))


def _length(segments: Sequence[Segment]) -> int:
    return sum(1 if segment.image is not None else len(segment.text) for segment in segments)


def _digest(served: int, before: Sequence[Segment], behind: Sequence[Segment]) -> bytes:
    digest = blake2b(served.to_bytes(8, "big"), digest_size=16)
    for segment in (*before, *behind[:1]):
        digest.update(b"\x01" if segment.markup else b"\x00")
    for segment in before:
        digest.update(segment.text.encode("utf-8", "surrogatepass") + b"\xff")
    for segment in behind[:1]:
        digest.update(segment.text[:_SEAM].encode("utf-8", "surrogatepass"))
    return digest.digest()
