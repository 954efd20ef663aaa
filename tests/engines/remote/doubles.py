"""Endpoints that do what a test says, at the port."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.remote.endpoint import Findings, Identity
from antiphon.errors import EngineFault, EngineUnavailable
from antiphon.ports.engine import Done, EngineOutput, Generation, ModelCard, Piece


@dataclass
class Told:
    """An endpoint. `away`: it does not answer; `unwell`: it says that it could not work. `fails`: the faults of its
    next works, before their first token; `breaks`: works end after their first token. `open`: set where works may end;
    until then they stand still behind their first token."""

    name: str
    places: int = 4
    model: str = "one"
    away: bool = False
    unwell: bool = False
    fails: list[EngineFault] = field(default_factory=list[EngineFault])
    breaks: EngineFault | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)
    works: list[Generation] = field(default_factory=list[Generation])
    running: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    @property
    def url(self) -> str:
        """Where it would be."""
        return f"http://{self.name}"

    async def learn(self) -> Findings:
        """A model with a window of 100,000 tokens."""
        self._answers()
        card = ModelCard("", self.model, 100_000)
        return Findings("double", "1", card, Identity(self.model, "", ""), places=self.places)

    async def trace(self) -> str:
        """The model's name."""
        self._answers()
        if self.unwell:
            raise EngineUnavailable("it is not well")
        return self.model

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """A token for each character."""
        del begins
        self._answers()
        return tuple(ord(letter) for segment in segments for letter in segment.text)

    async def generate(self, work: Generation, limit: int) -> AsyncGenerator[EngineOutput, None]:
        """One token, and the end when that is allowed."""
        del limit
        self._answers()
        if self.fails:
            raise self.fails.pop(0)
        self.works.append(work)
        self.running += 1
        try:
            yield Piece("a", 1)
            await self.open.wait()
            if self.breaks is not None:
                raise self.breaks
            yield Done("end", 1)
        finally:
            self.running -= 1

    async def aclose(self) -> None:
        """Nothing to close."""

    def _answers(self) -> None:
        if self.away:
            raise EngineUnavailable("nobody answers")


def work(
    tokens: tuple[int, ...] = (1, 2, 3), conversation: str = "", tenant: str = "", stops: tuple[str, ...] = ()
) -> Generation:
    """Work on a prompt of these tokens."""
    return Generation(RenderedPrompt((), tokens), 10, stops=stops, conversation=conversation, tenant=tenant)
