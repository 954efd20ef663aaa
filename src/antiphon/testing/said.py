"""What a planned reply says, and how it ends: values, made by the functions of `antiphon.testing`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from antiphon.dialogue.events import StopReason
from antiphon.errors import STATUS, ApiError, ErrorType

_TYPES: Final[Mapping[int, ErrorType]] = {status: kind for kind, status in STATUS.items()}
_WORDS: Final[Mapping[int, str]] = {
    401: "invalid x-api-key",
    429: "This request would exceed your organization's rate limit. Please try again later.",
    500: "Internal server error",
    529: "Overloaded",
}


@dataclass(frozen=True, slots=True)
class Thought:
    """A run of reasoning; sent where the request asks for thinking, in the form that it asks for."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of one of the application's tools."""

    name: str
    input: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Page:
    """A page that a search has found."""

    url: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class WebSearch:
    """A search that ran inside the server, and what it found."""

    query: str
    pages: tuple[Page, ...] = ()


Said = str | Thought | ToolCall | WebSearch


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reply ends before its end: behind `after` chunks the connection is `closed`, or nothing more comes
    (`hangs`), or `error` does."""

    kind: Literal["error", "closed", "hangs"]
    after: int
    error: ApiError | None = None


def thinking(text: str) -> Thought:
    """A run of reasoning."""
    return Thought(text)


def tool_call(name: str, /, **given: Any) -> ToolCall:
    """A call of the application's tool, with this input."""
    return ToolCall(name, given)


def web_search(query: str, *pages: Page) -> WebSearch:
    """A search that ran inside the server."""
    return WebSearch(query, pages)


def error(status: int, message: str | None = None, *, retry_after: float | None = None) -> ApiError:
    """An error of the API by its status. Raises `ValueError` for a status that the API does not have."""
    kind = _TYPES.get(status)
    if kind is None:
        raise ValueError(f"the API has no error of status {status}; it has {sorted(_TYPES)}")
    headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    return ApiError(kind, message or _WORDS.get(status, kind.replace("_", " ").capitalize()), headers=headers)


def breaks_off(status: int = 529, message: str | None = None, *, after: int = 1) -> Ending:
    """Behind so many chunks an `error` event ends the stream; a reply that does not stream is that error."""
    return Ending("error", after, error(status, message))


def disconnects(after: int = 1) -> Ending:
    """Behind so many chunks the connection is closed."""
    return Ending("closed", after)


def hangs(after: int = 1) -> Ending:
    """Behind so many chunks nothing more comes; a stream is kept alive with pings."""
    return Ending("hangs", after)


def check_reason(reason: str) -> None:
    """Raises `ValueError` for what the API does not stop for."""
    if reason not in get_args(StopReason):
        raise ValueError(f"{reason!r} is no stop reason; there are {', '.join(get_args(StopReason))}")
