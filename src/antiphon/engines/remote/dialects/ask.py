"""What is asked of an engine that takes tokens, and what is heard from it, in neutral words."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from antiphon.dialogue.conversation import Sampling

Event = dict[str, Any]

_JPEG: Final = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Draw:
    """How the next token is drawn; complete, because engines fill what is missing with settings of their own."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0

    @classmethod
    def of(cls, *choices: Sampling) -> "Draw":
        """The first setting that says something counts; where none does, temperature 1 and no cut.

        `top_k` 0 takes all tokens.
        """

        def first(name: str, otherwise: float) -> float:
            return next((value for each in choices if (value := getattr(each, name)) is not None), otherwise)

        return cls(first("temperature", 1.0), first("top_p", 1.0), int(first("top_k", 0)))


@dataclass(frozen=True, slots=True)
class Ask:
    """One piece of work. `id`: a name that no other work has. `ends`: the tokens that end a reply. `stops`: texts
    that the engine is to look for. `salt`: caches are kept apart by it; empty for none. `conversation`: see
    `Generation`. `pictures`: PNG or JPEG, in the order in which they stand in the tokens. `tells`: the engine is to
    say which tokens it has read in the end."""

    id: str
    model: str
    tokens: tuple[int, ...]
    max_tokens: int
    ends: tuple[int, ...]
    draw: Draw = Draw()
    stops: tuple[str, ...] = ()
    grammar: str | None = None
    salt: str = ""
    conversation: str = ""
    pictures: tuple[bytes, ...] = ()
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """One event of a reply. `tokens`: what was written since the last one. `reason`: why the reply has ended, None
    where it goes on; `matched`: the stop text that ended it. `cached`: how much of the prompt was not computed again,
    None where the event does not say. `fault`: the engine gave the work up, with this status and these words.
    `counted`: how many tokens of prompt it counts; `read`: which they are; both with the places of pictures, and None
    where it does not say."""

    tokens: tuple[int, ...] = ()
    reason: Literal["end", "length", "stop"] | None = None
    matched: str | None = None
    cached: int | None = None
    fault: tuple[int, str] | None = None
    counted: int | None = None
    read: tuple[int, ...] | None = None


class Dialect(Protocol):
    """How one engine's raw endpoint is spoken to.

    `most_stops`: how many stop texts it takes, None for any number. `reads_only`: it can read a prompt and write
    nothing; others are asked for one token. `reasons_first`: a reasoning parser in the engine delays grammars.
    `lingers`: work goes on for a while where its stream is closed, until it is aborted. `sees`: pictures can be sent.
    """

    name: str
    path: str
    most_stops: int | None
    reads_only: bool
    reasons_first: bool
    lingers: bool
    sees: bool

    def body(self, ask: Ask) -> dict[str, Any]:
        """The request's body."""
        ...

    def listener(self) -> Callable[[Event], Heard]:
        """What reads one reply's events, in their order."""
        ...

    def abort(self, id: str) -> tuple[str, dict[str, Any]] | None:  # noqa: A002 - the name it has in `Ask`
        """The path and the body of a request that ends the work and lets its stream come to an end; None where there
        is none."""
        ...


def data_url(picture: bytes) -> str:
    """A PNG or a JPEG as engines take them beside a prompt."""
    kind = "jpeg" if picture.startswith(_JPEG) else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
