"""What headers of replies say, and the small resources, over real sockets."""

import json
import re
import socket
from contextlib import suppress
from uuid import UUID

import pytest

from antiphon.errors import ApiError
from antiphon.seals import Seals
from antiphon.web.errors import error_reply
from antiphon.web.identity import Identity
from antiphon.web.server import ListenError, bind, bind_all
from tests.web.http.sockets import listening, request

BODY = json.dumps(
    {"model": "claude-opus-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hello"}]}
).encode()


@pytest.mark.promise("http.organization-and-workspace")
async def test_every_reply_names_its_organization_and_the_workspace_of_its_key():
    async with listening(api_keys=("one", "two")) as server:
        asked = {
            "one": request(BODY, x_api_key="one"),
            "one as bearer": request(BODY, x_api_key="", authorization="Bearer one"),
            "wrong body": request(b"{", x_api_key="one"),
            "two": request(method="GET", path="/v1/models", x_api_key="two"),
            "wrong key": request(BODY, x_api_key="three"),
            "nowhere": request(method="GET", path="/nowhere"),
        }
        replies = {name: await server.ask(sent) for name, sent in asked.items()}
    assert {name: reply.status for name, reply in replies.items()} == dict(
        zip(asked, (200, 200, 400, 200, 401, 404), strict=True)
    )
    said = {name: reply.headers["anthropic-workspace-id"] for name, reply in replies.items()}
    assert all(re.fullmatch("wrkspc_01[0-9a-z]{22}", workspace) for workspace in said.values())
    assert said["one"] == said["one as bearer"] == said["wrong body"] != said["two"]
    assert said["wrong key"] == said["nowhere"] not in (said["one"], said["two"])
    (organization,) = {reply.headers["anthropic-organization-id"] for reply in replies.values()}
    assert UUID(organization).version == 4


@pytest.mark.promise("http.organization-and-workspace")
def test_they_outlive_the_process_and_are_others_on_another_server():
    def names(secret: int) -> object:
        identity = Identity(Seals([bytes([secret]) * 32]).name, ["one"])
        return identity.headers(identity.configured(0))

    assert names(1) == names(1) != names(2)


@pytest.mark.promise("http.should-retry")
async def test_errors_say_whether_another_try_would_help():
    async with listening(api_keys=("one",)) as server:
        for sent, status in (
            (request(b"{", x_api_key="one"), 400),
            (request(BODY), 401),
            (request(method="GET", path="/nowhere"), 404),
            (request(method="GET", path="/v1/messages"), 405),
        ):
            reply = await server.ask(sent)
            assert (reply.status, reply.headers["x-should-retry"]) == (status, "false")
        assert "x-should-retry" not in (await server.ask(request(BODY, x_api_key="one"))).headers


@pytest.mark.promise("http.should-retry")
def test_a_rate_limit_says_that_another_try_helps_and_our_own_failures_leave_it_to_the_client():
    assert error_reply(ApiError("rate_limit_error", "Slower."), "req_1").headers["x-should-retry"] == "true"
    assert "x-should-retry" not in error_reply(ApiError("api_error", "Ours."), "req_1").headers


@pytest.mark.promise("clients.head-root")
@pytest.mark.parametrize("path", ["/", "/api/hello"])
async def test_clients_that_knock_are_answered(path: str):
    async with listening() as server:
        for method in ("HEAD", "GET"):
            async with server.connect() as connection:
                connection.send(request(method=method, path=path, connection="close"))
                head, body = (await connection.rest()).split(b"\r\n\r\n", 1)
            assert head.startswith(b"HTTP/1.1 200 ")
            assert bool(body) == (method == "GET")


@pytest.mark.promise("errors.old-completions")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'{"model": "claude-2.1", "prompt": "x"}',
            '"claude-2.1" is not supported on this API. Please use the Messages API instead.',
        ),
        (b'{"prompt": "x"}', "model: Field required"),
        (b'{"model": 2}', "model: Input should be a valid string"),
        (b"[]", "The request body should be a JSON object"),
        (b"{", "The request body is not valid JSON: "),
    ],
)
async def test_the_first_endpoint_of_the_api_says_which_one_to_use(body: bytes, words: str):
    async with listening() as server:
        reply = await server.ask(request(body, path="/v1/complete"))
    assert reply.status == 400
    error = json.loads(reply.body)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(words)


def has_ipv6_loopback() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.promise("http.both-loopback-addresses")
@pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")
async def test_both_loopback_addresses_are_served_on_one_port():
    async with listening() as server:
        for host, name in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
            async with server.connect(host) as connection:
                connection.send(request(BODY, host=f"{name}:{server.port}"))
                assert (await connection.reply()).status == 200


@pytest.mark.promise("http.both-loopback-addresses")
@pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")
def test_a_port_that_another_program_has_on_the_second_address_is_told(caplog: pytest.LogCaptureFixture):
    with bind("::1", 0) as taken:
        port = taken.getsockname()[1]
        (only,) = bind_all("127.0.0.1", port)
        only.close()
    assert f"port {port} on ::1 is in use, by another program" in caplog.text


@pytest.mark.promise("http.both-loopback-addresses")
def test_without_a_second_address_the_first_is_served(monkeypatch: pytest.MonkeyPatch):
    real = socket.socket

    def no_ipv6(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, kind)

    monkeypatch.setattr(socket, "socket", no_ipv6)
    (only,) = bind_all("127.0.0.1", 0)
    only.close()
    with pytest.raises(ListenError, match="cannot listen on ::1:0: Address family not supported"):
        bind("::1", 0)


def test_any_other_address_is_served_alone():
    (only,) = bind_all("127.0.0.2", 0)
    only.close()
