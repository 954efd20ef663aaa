"""Sessions with a real server, kept in a file and played again: JSON that can be read and reviewed.

No key is written: of a request's headers only the API's version and betas are kept, of a reply's those that clients
read. A reply is kept to the byte.
"""

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, cast

from starlette.types import Send

from antiphon.testing.received import Received

FORMAT: Final = 1
_SENT: Final = ("anthropic-version", "anthropic-beta")
_ANSWERED: Final = ("content-type", "request-id", "retry-after", "x-should-retry")


class RecordingError(Exception):
    """The file is no recording. The text says why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its reply. `sent`: the request's body, as JSON where it is that, else None."""

    method: str
    path: str
    query: str
    sent: Any
    asked: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, request: Received, status: int, headers: Mapping[str, str], body: bytes) -> Self:
        """What is kept of an exchange."""
        asked = {name: request.headers[name] for name in _SENT if name in request.headers}
        answered = {name: value for name, value in headers.items() if name in _ANSWERED}
        return cls(request.method, request.path, request.query, _json(request.body), asked, status, answered, body)

    def answers(self, request: Received) -> bool:
        """Whether this very request was sent then."""
        return (self.method, self.path, self.query, self.sent) == (
            request.method,
            request.path,
            request.query,
            _json(request.body),
        )

    async def send(self, send: Send) -> None:
        """Answer as then."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        events = self.body.split(b"\n\n") if "event-stream" in self.headers.get("content-type", "") else [self.body]
        for number, event in enumerate(events, 1):
            last = number == len(events)
            await send(
                {"type": "http.response.body", "body": event + (b"" if last else b"\n\n"), "more_body": not last}
            )

    def written(self) -> dict[str, Any]:
        """It as JSON."""
        request = {"method": self.method, "path": self.path, "query": self.query, "headers": {**self.asked}}
        response = {"status": self.status, "headers": {**self.headers}, **_kept(self.body)}
        return {"request": {**request, "body": self.sent}, "response": response}

    @classmethod
    def again(cls, data: Mapping[str, Any]) -> Self:
        """It, out of its JSON."""
        request, response = data["request"], data["response"]
        return cls(
            request["method"],
            request["path"],
            request["query"],
            request["body"],
            request["headers"],
            response["status"],
            response["headers"],
            "\n".join(response["lines"]).encode() if "lines" in response else base64.b64decode(response["base64"]),
        )


@dataclass(slots=True)
class Recording:
    """Exchanges in their order. Safe between threads."""

    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    name: str = "the recording"
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _taken: set[int] = field(default_factory=set[int])

    @classmethod
    def read(cls, path: Path) -> Self:
        """The recording in a file. Raises `RecordingError`."""
        try:
            data: Any = json.loads(path.read_text("utf-8"))
            if data["antiphon-recording"] != FORMAT:
                raise RecordingError(f"{path}: recordings of format {data['antiphon-recording']} are not known")
            return cls([Exchange.again(each) for each in data["exchanges"]], path.name)
        except (OSError, ValueError, LookupError, TypeError) as problem:
            raise RecordingError(f"{path} is no recording: {problem!r}") from problem

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        with self._lock:
            data = {"antiphon-recording": FORMAT, "exchanges": [exchange.written() for exchange in self.exchanges]}
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")

    def add(self, exchange: Exchange) -> None:
        """One more."""
        with self._lock:
            self.exchanges.append(exchange)

    def take(self, request: Received) -> Exchange | None:
        """The next exchange with this request, once; None where there is none."""
        with self._lock:
            for number, exchange in enumerate(self.exchanges):
                if number not in self._taken and exchange.answers(request):
                    self._taken.add(number)
                    return exchange
        return None

    @property
    def left(self) -> int:
        """How many exchanges nobody has asked for."""
        with self._lock:
            return len(self.exchanges) - len(self._taken)

    def differing(self, request: Received) -> str:
        """How a request differs from the next one that was recorded, in words."""
        with self._lock:
            waiting = [each for number, each in enumerate(self.exchanges) if number not in self._taken]
        if not waiting:
            return f"{self.name} has no more exchanges; this is {request.method} {request.path}"
        first = waiting[0]
        if (first.method, first.path) != (request.method, request.path):
            return f"{self.name} goes on with {first.method} {first.path}; this is {request.method} {request.path}"
        return f"{self.name} goes on with another body: {_difference(first.sent, _json(request.body)) or 'query'}"


def _difference(then: Any, now: Any, place: str = "") -> str:
    """The first place where two JSON values differ."""
    for key, one, other in _pairs(then, now):
        if found := _difference(one, other, f"{place}.{key}"):
            return found
    return "" if then == now else f"{place.removeprefix('.') or 'all of it'}: {_short(then)} then, {_short(now)} now"


def _pairs(then: Any, now: Any) -> list[tuple[str, Any, Any]]:
    """What stands in the same place of two values of one kind; nothing where they are not of one."""
    if isinstance(then, dict) and isinstance(now, dict):
        one, other = cast("dict[str, Any]", then), cast("dict[str, Any]", now)
        return [(key, one.get(key), other.get(key)) for key in one | other]
    if isinstance(then, list) and isinstance(now, list):
        first, second = cast("list[Any]", then), cast("list[Any]", now)
        if len(first) == len(second):
            return [(str(at), *pair) for at, pair in enumerate(zip(first, second, strict=True))]
    return []


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 80 else f"{text[:77]}…"


def _json(body: bytes) -> Any:
    """A body as JSON; None where it is something else, whose form may change from one request to the next."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def _kept(body: bytes) -> dict[str, Any]:
    try:
        return {"lines": body.decode().split("\n")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
