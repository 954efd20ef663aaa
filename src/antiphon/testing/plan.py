"""The replies that a test has planned, and who gets which."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.dialogue.events import StopReason
from antiphon.errors import ApiError
from antiphon.testing.said import Ending, Said

When = str | Callable[[Mapping[str, Any]], bool]
"""Which requests get a reply: those whose last user turn has this regular expression in its text, or those whose body
the function takes."""


class UnexpectedRequest(AssertionError):  # noqa: N818 - reads as what happened
    """The application has asked what the test has no reply for, or a reply does not fit what it asked."""


@dataclass(slots=True)
class Planned:
    """A reply. `times`: how often it is still given; None: always. Times are in seconds."""

    said: tuple[Said, ...] = ()
    stop_reason: StopReason | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    error: ApiError | None = None
    ending: Ending | None = None
    delay: float = 0.0
    chunk_delay: float = 0.0
    when: When | None = None
    times: int | None = 1


@dataclass(slots=True)
class Plan:
    """The replies in their order: the first that a request fits is given. Safe between threads."""

    replies: list[Planned] = field(default_factory=list[Planned])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, planned: Planned) -> None:
        """One more, behind the others."""
        with self._lock:
            self.replies.append(planned)

    def take(self, body: Mapping[str, Any]) -> Planned:
        """The reply to a request. Raises `UnexpectedRequest`."""
        with self._lock:
            for planned in self.replies:
                if planned.times != 0 and _fits(planned.when, body):
                    if planned.times is not None:
                        planned.times -= 1
                    return planned
        raise UnexpectedRequest(f"no reply is planned for this request; its last user turn: {last_text(body)!r}")

    @property
    def left(self) -> int:
        """How many replies are still to be given; those that always are do not count."""
        with self._lock:
            return sum(planned.times or 0 for planned in self.replies)


def last_text(body: Mapping[str, Any]) -> str:
    """The text of the last user turn of a request that is right; empty where there is none."""
    messages: list[dict[str, Any]] = body["messages"]
    for message in reversed(messages):
        if message["role"] == "user":
            content: str | list[dict[str, Any]] = message["content"]
            if isinstance(content, str):
                return content
            return "\n".join(block["text"] for block in content if block["type"] == "text")
    return ""


def _fits(when: When | None, body: Mapping[str, Any]) -> bool:
    if when is None:
        return True
    if isinstance(when, str):
        return re.search(when, last_text(body)) is not None
    return when(body)
