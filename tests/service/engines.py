"""An engine that writes what a test says, generation by generation, and remembers what it was asked."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from antiphon.dialogue.rendered import Segment
from antiphon.errors import EngineFault
from antiphon.ports.engine import Done, EngineHealth, EngineOutput, Generation, ModelCard, Piece


@dataclass
class PlannedEngine:
    """`plan`: what the model writes in each generation, token by token; it keeps to limits and stops.

    A text that stands for a whole segment is one token. `fails`: the fault that ends the generation of this number
    (from 0) instead of its end. `tells_tokens`: whether pieces carry their tokens.
    """

    plan: Sequence[Sequence[str]]
    window: int = 1000
    fails: dict[int, EngineFault] = field(default_factory=dict[int, EngineFault])
    tells_tokens: bool = True
    special: frozenset[str] = frozenset()
    template: str | None = None
    asked: list[Generation] = field(default_factory=list[Generation])
    closed: list[int] = field(default_factory=list[int])
    _numbers: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def card(self) -> ModelCard:
        """A model with this template, or none."""
        return ModelCard("planned", "planned", self.window, self.template, special_tokens=self.special)

    def number(self, text: str) -> int:
        """The token of a text."""
        return self._numbers.setdefault(text, len(self._numbers))

    async def start(self) -> None:
        """Nothing to load."""

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """One token a segment, and one for the beginning."""
        return (*([self.number("<begin>")] if begins else []), *(self.number(segment.text) for segment in segments))

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """The next of the plan."""
        number = len(self.asked)
        self.asked.append(work)
        try:
            written = self.plan[number][: work.max_tokens]
            text = "".join(written)
            found = [(text.find(stop), stop) for stop in work.stops if stop in text]
            end, matched = min(found, default=(len(text), None))
            at = count = 0
            for token in written:
                if at >= end + len(matched or ""):
                    break
                count += 1
                piece = token[: max(0, end - at)]
                at += len(token)
                if at - len(token) < end or matched is None:
                    whole = self.tells_tokens and work.stops and piece == token
                    yield Piece(piece, count, (self.number(token),) if whole else ())
            if number in self.fails:
                raise self.fails[number]
            if matched is not None:
                yield Done("stop", count, matched=matched)
            else:
                yield Done("length" if len(self.plan[number]) > work.max_tokens else "end", count)
        finally:
            self.closed.append(number)

    async def health(self) -> EngineHealth:
        """Always ready."""
        return EngineHealth(True)

    async def aclose(self) -> None:
        """Nothing to stop."""
