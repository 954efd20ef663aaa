"""What one engine at one URL is asked for, whatever engine it is."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from antiphon.dialogue.rendered import Segment
from antiphon.ports.engine import EngineOutput, Generation, ModelCard

SESSION_HEADER: Final = "x-session-id"
"""Routers in front of engines keep to one engine what has the same value in it. Source: vllm-router, Ray Serve."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried at an engine. `needed`: without it a guarantee is lost, and the model is not served.

    `says`: what was found, in a few words. `remedy`: the flag to add to the engine's command line, or what else to
    do; empty where all is well.
    """

    subject: str
    holds: bool
    says: str
    remedy: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model an endpoint has: two of which all three are the same answer for each other.

    `model`: its name, or whatever the engine tells it by. `template`, `tokenizer`: a text that is another one where
    these are others.
    """

    model: str
    template: str
    tokenizer: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What is at a URL: the `engine` and its `version`, the model's `card`, and all that was tried.

    `places`: works that it does at once, 0 where it does not say.
    """

    engine: str
    version: str
    card: ModelCard
    identity: Identity
    rows: tuple[Finding, ...] = ()
    places: int = 0

    @property
    def missing(self) -> tuple[Finding, ...]:
        """What keeps the model from being served."""
        return tuple(row for row in self.rows if row.needed and not row.holds)


class Endpoint(Protocol):
    """One engine at one URL. Every method raises `EngineFault` kinds only."""

    @property
    def url(self) -> str:
        """Where it is, without a key."""
        ...

    @property
    def places(self) -> int:
        """Works that it does at once, by its last `learn` or `trace`; 0 where it does not say."""
        ...

    async def learn(self) -> Findings:
        """Ask what is there and try what is needed. To be called before anything else, and when it comes back.

        Raises `EngineUnavailable` where nobody answers.
        """
        ...

    async def trace(self) -> str:
        """Whether it could work now, and whether what was learnt still holds: a text that is another one where the
        engine has another model. Costs small questions only, and is asked often.

        Raises `EngineUnavailable` where it could not work now.
        """
        ...

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """See `Engine.tokenize`."""
        ...

    def generate(self, work: Generation, limit: int) -> AsyncGenerator[EngineOutput, None]:
        """See `Engine.generate`; `limit` ≥ 0 is the work's `max_tokens` within the window.

        Raises `EngineNotBegun` only where nothing of the work can have been done.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections; may be called more than once."""
        ...


def session(work: Generation) -> dict[str, str]:
    """The headers that keep a conversation at one engine where there is a router between."""
    return {SESSION_HEADER: work.conversation} if work.conversation else {}
