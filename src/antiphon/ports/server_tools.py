"""Tools that run inside the server: what one is asked, and what it answers. Protocols and values.

A tool's answer is the content of its result block, in the API's own form. The model reads results through the same
rendering whether they came about in this reply or were sent back by the client, so a tool never renders for itself.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from antiphon.dialogue.tools import Tool
from antiphon.ports.containers import Container

Serve = Callable[[Sequence[tuple[str, Mapping[str, Any]]]], Awaitable[Sequence[str]]]
"""Answers calls of the server's own tools that code makes: names and inputs, and what the code is told, in order."""


async def serves_nothing(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> Sequence[str]:
    """Where code may call no tool of the server's."""
    raise ToolProblem("unavailable", f"code may not call {', '.join(name for name, _ in calls)}")


@dataclass(frozen=True, slots=True)
class ServerCall:
    """A call that a model made. `input` is as the model wrote it: nobody has checked it against the tool's schema.

    `settings`: what the request's definition of the tool says, as the wire has it (`allowed_domains`, `max_uses`, …;
    keys that are absent or null are left out). `seen_urls`: the URLs that the conversation may fetch, as written
    there. `max_uses` is counted by the caller. `searchable`: the tools that a search among tools may find, by the
    names that refer to them. `container`: where its code runs.

    Of a call whose code may call further tools, `functions`: the name of each to the code, and that of the tool.
    `answers`: what came of calls that it made before, by their ids; `begun`: it has made some, and runs. `together`:
    the ids of all calls that are answered at the same time. `new_id`: makes the id of a call that it makes. `served`:
    those of the tools that the server runs, and `serve`: answers calls of them at once.
    """

    id: str
    name: str
    input: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    seen_urls: frozenset[str] = frozenset()
    searchable: Mapping[str, tuple[Tool, ...]] = field(default_factory=dict[str, tuple[Tool, ...]])
    container: Container | None = None
    functions: Mapping[str, str] = field(default_factory=dict[str, str])
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    begun: bool = False
    together: frozenset[str] = frozenset()
    new_id: Callable[[], str] = str
    served: frozenset[str] = frozenset()
    serve: Serve = serves_nothing


@dataclass(frozen=True, slots=True)
class CallFromCode:
    """A call of a tool that the code of a call makes, and the client answers. `id`: the block's (`toolu_…`)."""

    id: str
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waits:
    """The call has not come to an end: it waits for what these come to, or, without any, for those beside it."""

    calls: tuple[CallFromCode, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerResult:
    """What a call came to. `content` is the `content` of the result block: a list or an object.

    The `encrypted_content` of a search result is the text that the model reads, as it is: whoever runs the tool seals
    it for the client.

    `counts`: how much of `usage.server_tool_use` it is, such as {"web_search_requests": 1}.
    """

    content: Any
    counts: Mapping[str, int] = field(default_factory=dict[str, int])


class ToolProblem(Exception):  # noqa: N818 - reads as what happened
    """The call failed in a way that the API documents: `code` is the error block's `error_code`.

    `reason` is for the owner's log; it never reaches the client. `message` does, where the error has room for one.
    """

    def __init__(self, code: str, reason: str = "", message: str | None = None) -> None:
        super().__init__(reason or message or code)
        self.code = code
        self.reason = reason
        self.message = message


class ServerTool(Protocol):
    """A tool that the server runs. One instance serves all requests at once.

    `name`: what its calls are named. `types`: the beginnings of the definition types that it answers for, such as
    "web_search_". `result_type`: the type of its result blocks. `error_type`: the type of the error object in them.
    """

    name: str
    types: tuple[str, ...]
    result_type: str
    error_type: str

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """What the model is told of the tool, as the request's definition sets it."""
        ...

    async def run(self, call: ServerCall) -> ServerResult | Waits:
        """Do what the call asks, in bounded time; raises `ToolProblem`. Cancelling it leaves nothing running."""
        ...

    async def aclose(self) -> None:
        """Stop everything that was started; may be called more than once."""
        ...


@dataclass(frozen=True, slots=True)
class ServerTools:
    """The tools that the owner offers. `calls_from_code`: code may call the client's tools here."""

    tools: tuple[ServerTool, ...] = ()
    calls_from_code: bool = False

    def answering(self, kind: str) -> tuple[ServerTool, ...]:
        """The tools that answer for definitions of this type: one definition may stand for several calls."""
        return tuple(tool for tool in self.tools if kind.startswith(tool.types))

    def named(self, name: str) -> ServerTool | None:
        """The tool whose calls go by this name."""
        return next((tool for tool in self.tools if tool.name == name), None)


NO_SERVER_TOOLS: Final = ServerTools()
