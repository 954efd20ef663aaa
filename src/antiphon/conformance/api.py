"""What checks ask of a server. The same request is asked once for all checks: most look at the same few replies."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from antiphon.conformance.asking import Answer, Asked, Transport
from antiphon.conformance.check import LEFT_OUT, Failed, Skipped, dictionary, expect, listed
from antiphon.conformance.events import Event, events_of

VERSION: Final = "2023-06-01"
MESSAGES: Final = "/v1/messages"
ABSENT: Final = (404, 405, 501)

Probe = Callable[["Api"], None]


class Api:
    """A server, asked with a key for a model. Safe between threads."""

    def __init__(self, transport: Transport, key: str, model: str) -> None:
        self._transport = transport
        self.key = key
        self.model = model
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, Answer | Exception] = {}
        self._lacking: dict[str, str] = {}
        self.probes: Mapping[str, Probe] = {}

    def headers(self, changes: Mapping[str, Any] | None = None) -> dict[str, str]:
        """The headers of a request. A change to `LEFT_OUT` leaves one out."""
        usual: dict[str, Any] = {
            "content-type": "application/json",
            "anthropic-version": VERSION,
            "x-api-key": self.key,
            **(changes or {}),
        }
        return {name: value for name, value in usual.items() if value is not LEFT_OUT}

    def request(self, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The body of the usual request, with these changes."""
        usual: dict[str, Any] = {
            "model": self.model,
            "max_tokens": 32,
            "messages": [{"role": "user", "content": "Say hello."}],
            **(changes or {}),
        }
        return {name: value for name, value in usual.items() if value is not LEFT_OUT}

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, Any] | None = None) -> Answer:
        """A request that may change something: asked anew each time. A body of bytes is sent as it is."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self._transport(Asked(method, path, self.headers(headers), raw))

    def look(self, method: str, path: str, body: Any = None, headers: Mapping[str, Any] | None = None) -> Answer:
        """A request that changes nothing: asked once, whoever asks."""
        name = repr((method, path, body, sorted(self.headers(headers).items())))
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._known:
                try:
                    self._known[name] = self.ask(method, path, body, headers)
                except Failed as problem:
                    self._known[name] = problem
            known = self._known[name]
        if isinstance(known, Exception):
            raise Failed(str(known))
        return known

    def post(self, body: Any, headers: Mapping[str, Any] | None = None) -> Answer:
        """`POST /v1/messages`, once."""
        return self.look("POST", MESSAGES, body, headers)

    def said(
        self, changes: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The reply to the usual request with these changes, as a message."""
        return well(self.post(self.request(changes), headers))

    def heard(
        self, changes: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None
    ) -> list[Event]:
        """The events of that reply as a stream."""
        answer = self.post(self.request({**(changes or {}), "stream": True}), headers)
        expect(answer.status == 200, f"the status is {answer.status}: {answer.short}")
        return events_of(answer.body)

    def counted(self, changes: Mapping[str, Any] | None = None) -> int:
        """The tokens of the usual request with these changes, as they are counted ahead."""
        body = self.request({"max_tokens": LEFT_OUT, **(changes or {})})
        return well(self.look("POST", f"{MESSAGES}/count_tokens", body))["input_tokens"]

    def need(self, capability: str) -> None:
        """Raise `Skipped` where the server says that it lacks a capability."""
        with self._lock:
            lock = self._locks.setdefault(f"need {capability}", threading.Lock())
        with lock:
            if capability not in self._lacking:
                try:
                    self.probes[capability](self)
                    self._lacking[capability] = ""
                except Skipped as lack:
                    self._lacking[capability] = str(lack)
                except Failed:
                    # What is there and broken is for the checks to find.
                    self._lacking[capability] = ""
        if self._lacking[capability]:
            raise Skipped(self._lacking[capability])


def well(answer: Answer) -> dict[str, Any]:
    """The object that a request was answered with. Raises `Failed` where it was not answered well."""
    expect(answer.status == 200, f"the status is {answer.status}: {answer.short}")
    return dictionary(answer.json)


def blocks(message: Mapping[str, Any], kind: str = "") -> list[dict[str, Any]]:
    """The content blocks of a message, those of one kind."""
    found = [dictionary(block) for block in listed(message.get("content"))]
    return [block for block in found if not kind or block.get("type") == kind]


def says(message: Mapping[str, Any]) -> str:
    """The text of a message."""
    return "".join(str(block.get("text", "")) for block in blocks(message, "text"))
