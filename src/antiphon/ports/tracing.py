"""Who follows requests as they are answered, for systems that gather such things from many programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from antiphon.dialogue.events import ReplyEvent


@dataclass(frozen=True, slots=True)
class Asks:
    """What a request asks for, once nothing about it is wrong.

    `named`: the model, as the request says; `model`: the name that stands for it in the list of models. `reply`: the
    id that the reply has. `read`: tokens of input that it is charged where nothing else is said. `body`: the request
    as JSON, which is for those alone who were told to keep what is said.
    """

    named: str
    model: str
    reply: str
    max_tokens: int
    read: int
    body: Mapping[str, Any]
    stream: bool = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: tuple[str, ...] = ()


class ToolTrace(Protocol):
    """One run of a tool of the server. It begins when it is made."""

    def end(self, problem: str | None) -> None:
        """The run has ended. `problem`: the code of its error; None: it has a result."""
        ...


class Trace(Protocol):
    """One request. It begins when it is made. Nothing here waits, or fails."""

    def asks(self, asks: Asks) -> None:
        """The request can be answered."""
        ...

    def happens(self, events: Sequence[ReplyEvent]) -> None:
        """This happens in its reply."""
        ...

    def fails(self, kind: str) -> None:
        """It is answered with an error of this type, or its reply breaks off with one."""
        ...

    def tool(self, call_id: str, name: str, arguments: Mapping[str, Any]) -> ToolTrace:
        """A tool of the server runs for it."""
        ...

    def end(self, status: int | None) -> None:
        """The request has ended. `status`: of its HTTP reply; None: none was sent."""
        ...


class Tracer(Protocol):
    """Begins traces, and brings them to who gathers them."""

    def begin(self, request_id: str, headers: Mapping[str, str]) -> Trace:
        """A request is there. `headers`: what it says of a trace that it is part of (W3C Trace Context)."""
        ...

    async def aclose(self) -> None:
        """Bring what is left, in bounded time."""
        ...
