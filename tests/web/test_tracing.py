"""Requests to messages are followed to their end, whatever becomes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from antiphon.dialogue.events import ReplyEvent
from antiphon.ports.tracing import Asks, Trace
from antiphon.service.tracing import TRACE
from antiphon.web.headers import FIELDS
from antiphon.web.tracing import Traced, is_followed


@dataclass
class Noted:
    """A tracer, and its only trace, that remembers what it is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])

    def begin(self, request_id: str, headers: Mapping[str, str]) -> "Noted":
        self.told.append(("begin", request_id, dict(headers)))
        return self

    async def aclose(self) -> None:
        """Nothing is left."""

    def asks(self, asks: Asks) -> None:
        self.told.append(("asks", asks))

    def happens(self, events: Sequence[ReplyEvent]) -> None:
        self.told.append(("happens", *events))

    def fails(self, kind: str) -> None:
        self.told.append(("fails", kind))

    def tool(self, call_id: str, name: str, arguments: Mapping[str, Any]) -> Any:
        raise AssertionError("no tool runs here")

    def end(self, status: int | None) -> None:
        self.told.append(("end", status))


def request(**more: Any) -> Scope:
    fields = {b"traceparent": b"00-a-b-01", b"x-api-key": b"secret"}
    return {
        "type": "http",
        "path": "/v1/messages",
        "method": "POST",
        "antiphon.request_id": "req_1",
        FIELDS: fields,
        **more,
    }


async def nothing() -> Message:
    raise AssertionError("nobody reads")


@pytest.mark.parametrize("status", [200, 404, None])
async def test_a_trace_ends_with_its_request_and_knows_of_it_no_more_than_the_trace_that_it_is_part_of(
    status: int | None,
) -> None:
    noted, seen, sent = Noted(), list[Trace | None](), list[Message]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(TRACE.get())
        if status is None:
            raise ValueError("broken")
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def put(message: Message) -> None:
        sent.append(message)

    traced = Traced(app, noted)
    if status is None:
        with pytest.raises(ValueError, match="broken"):
            await traced(request(), nothing, put)
    else:
        await traced(request(), nothing, put)
    assert noted.told == [("begin", "req_1", {"traceparent": "00-a-b-01"}), ("end", status)]
    assert (seen, TRACE.get()) == ([noted], None)
    assert len(sent) == (0 if status is None else 2)


def test_what_is_no_request_for_a_message_is_not_followed() -> None:
    asked = [{}, {"method": "GET"}, {"path": "/v1/messages/count_tokens"}, {"path": "/v1/messages/batches"}]
    assert [is_followed(request(**more)) for more in asked] == [True, False, False, False]
