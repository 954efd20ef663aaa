"""What a request comes to, for whoever wants to see it: the prompt stretch by stretch, and what bounds the reply.

The work is that of a real reply, planned on the same road. Nothing here renders: stretches are cut out of its prompt.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Literal

from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.ports.engine import Engine
from antiphon.render.prompt.places import Places, cut
from antiphon.render.prompt.special import special_pattern
from antiphon.request.asked import Asked
from antiphon.request.caching import prefixes
from antiphon.service.reply.work import AtThreshold, OnDemand, Work
from antiphon.wire.request import CreateMessage

Kind = Literal["control", "template", "block", "picture"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the prompt. `path`: the block of the request that it comes from, empty for what the template writes.

    `tokens`: how many more the prompt has with it than without; those of all stretches together are the prompt's.
    """

    kind: Kind
    text: str
    tokens: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class CacheMark:
    """A block whose prefix is to be kept. `tokens`: of the prefix; None: it is too short to be kept, or its place in
    the prompt cannot be said."""

    path: str
    seconds: int
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A request that would be answered. `placed`: it can be said which block a stretch comes from.

    `budget`: the most tokens that may be thought, 0 = the reply does not think. `grammar`: what bounds the model's
    words, None: nothing does. `summary`: what is made in the answer's place, or before it.
    """

    model: str
    name: str
    family: str
    window: int
    tokens: int
    max_tokens: int
    stop_sequences: tuple[str, ...]
    budget: int
    sampling: Mapping[str, float | int | None]
    stretches: tuple[Stretch, ...]
    placed: bool
    marks: tuple[CacheMark, ...]
    grammar: str | None
    summary: Literal["alone", "first"] | None
    context_management: Mapping[str, Any] | None

    @property
    def by_block(self) -> Mapping[str, int]:
        """The tokens of each block of the request, in the prompt's order; those of the template under no path."""
        found: dict[str, int] = {}
        for stretch in self.stretches:
            found[stretch.path] = found.get(stretch.path, 0) + stretch.tokens
        return found


async def explain(asked: Asked[CreateMessage], work: Work, today: date) -> Explanation:
    """What the work of a request is made of. Raises the engine's faults."""
    card, task, served = work.served.engine.card, work.task, work.served
    places = served.prompts.places(task.conversation, work.prompt.segments, today=today)
    management = work.context_management
    return Explanation(
        model=asked.request.model,
        name=card.id,
        family=served.prompts.family.name,
        window=work.window,
        tokens=len(work.prompt.tokens),
        max_tokens=task.limits.max_tokens,
        stop_sequences=task.limits.stop_sequences,
        budget=task.conversation.thinking.budget,
        sampling={name: getattr(task.sampling, name) for name in ("temperature", "top_p", "top_k")},
        stretches=await _stretches(served.engine, work.prompt, places),
        placed=places is not None,
        marks=_marks(asked, work),
        grammar=work.grammar,
        summary=_summary(work),
        context_management=management if isinstance(management, dict) else None,
    )


def _summary(work: Work) -> Literal["alone", "first"] | None:
    match work.compaction:
        case OnDemand():
            return "alone"
        case AtThreshold():
            return "first"
        case None:
            return None


def _marks(asked: Asked[CreateMessage], work: Work) -> tuple[CacheMark, ...]:
    row = prefixes(asked, asked.context.tenant)
    kept = {} if work.marked is None else {mark.entry.key: mark.tokens for mark in work.marked.marks}
    return tuple(
        CacheMark(position.path, position.seconds, kept.get(position.key))
        for position in row.positions
        if position.seconds is not None
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch whose tokens are not counted yet. `end`: where in the prompt it ends."""

    kind: Kind
    text: str
    path: str
    end: int


async def _stretches(engine: Engine, prompt: RenderedPrompt, places: Places | None) -> tuple[Stretch, ...]:
    pieces = _pieces(prompt.segments, places, engine.card.special_tokens)
    found: list[Stretch] = []
    before = 0
    for at, piece in enumerate(pieces):
        last = at == len(pieces) - 1
        # A token across a seam is counted where it ends, so that all together are the prompt's.
        until = len(prompt.tokens) if last else len(await engine.tokenize(cut(prompt.segments, piece.end)[0]))
        found.append(Stretch(piece.kind, piece.text, until - before, piece.path))
        before = until
    return tuple(found)


def _pieces(segments: Sequence[Segment], places: Places | None, special: Collection[str]) -> list[_Piece]:
    """The prompt cut where a block begins or ends, and around each control token."""
    placed = [] if places is None else list(places.extents.items())
    extents = sorted(placed, key=lambda item: item[1][1] - item[1][0])
    borders = {border for _, extent in extents for border in extent}
    pieces: list[_Piece] = []
    for begin, end, kind, text in _runs(segments, special):
        cuts = [begin, *sorted(border for border in borders if begin < border < end), end]
        for one, other in pairwise(cuts):
            # The narrowest extent is the block's own: others only reach around it.
            path = next((path for path, (first, last) in extents if first <= one and other <= last), "")
            part = text if kind == "picture" else text[one - begin : other - begin]
            named: Kind = "block" if kind == "template" and path else kind
            previous = pieces[-1] if pieces else None
            mends = named in ("block", "template")
            if mends and previous is not None and (previous.kind, previous.path) == (named, path):
                pieces[-1] = _Piece(named, previous.text + part, path, other)
            else:
                pieces.append(_Piece(named, part, "" if named == "control" else path, other))
    return pieces


def _runs(segments: Sequence[Segment], special: Collection[str]) -> Iterator[tuple[int, int, Kind, str]]:
    """Each picture, each control token, and the text between them: where it begins and ends, and what it is."""
    pattern, at = special_pattern(special), 0
    for segment in segments:
        if segment.image is not None:
            yield at, at + 1, "picture", f"[picture {segment.image.width}x{segment.image.height}]"
            at += 1
            continue
        read = 0
        for found in pattern.finditer(segment.text) if pattern is not None and segment.markup else ():
            if found.start() > read:
                yield at + read, at + found.start(), "template", segment.text[read : found.start()]
            yield at + found.start(), at + found.end(), "control", found[0]
            read = found.end()
        if read < len(segment.text):
            yield at + read, at + len(segment.text), "template", segment.text[read:]
        at += len(segment.text)
