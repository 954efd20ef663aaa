"""What is left of failures for a client."""

import json

import pytest
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Scope

from antiphon.ports.stores import StoreUnavailable
from antiphon.web.endpoint import Endpoint


async def answer(problem: Exception) -> tuple[int, dict[str, str], dict[str, object]]:
    """Status, headers and body where a handler fails so."""

    async def handler(_: Request) -> ASGIApp:
        raise problem

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "antiphon.request_id": "req_1"}
    await Endpoint({"GET": handler})(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(sent[1]["body"])


@pytest.mark.promise("stores.errors")
async def test_a_store_that_does_not_answer_is_told_as_an_overload_that_passes() -> None:
    status, headers, body = await answer(StoreUnavailable("db.lan: connection refused"))
    assert (status, headers["retry-after"]) == (529, "2")
    assert body == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_1",
    }


async def test_a_bug_is_an_internal_server_error_and_nothing_more() -> None:
    status, _, body = await answer(RuntimeError("secret"))
    assert status == 500
    assert body["error"] == {"type": "api_error", "message": "Internal server error"}
