"""Pages in browsers: which may read replies, and under which names the server may be asked, over real sockets."""

import json
from collections.abc import AsyncGenerator

import pytest

from antiphon.config import Settings
from antiphon.testing import Bridge, CountingEntropy
from antiphon.testing.app import SEALS
from antiphon.web.door import Door, Threshold
from tests.web.http.sockets import Listening, Reply, listening, request

OPT_IN = "anthropic-dangerous-direct-browser-access"
HERE = "http://localhost:5173"
ROUTES = ["/v1/messages", "/v1/messages/count_tokens", "/v1/models", "/v1/models/x", "/health", "/", "/v1/files"]
BODY = json.dumps(
    {"model": "claude-opus-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hello"}]}
).encode()


@pytest.fixture
async def server() -> AsyncGenerator[Listening]:
    async with listening() as running:
        yield running


async def preflight(server: Listening, origin: str, path: str = "/v1/messages", **more: str) -> Reply:
    fields = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": f"{OPT_IN},anthropic-version,content-type,x-api-key",
        "x-api-key": "",
        "anthropic-version": "",
    }
    return await server.ask(request(method="OPTIONS", path=path, **{**fields, **more}))


async def post(server: Listening, origin: str, body: bytes = BODY, **more: str) -> Reply:
    return await server.ask(request(body, origin=origin, **{OPT_IN: "true", **more}))


@pytest.mark.promise("http.cors")
@pytest.mark.parametrize("path", ROUTES)
async def test_a_preflight_is_answered_on_every_route(server: Listening, path: str):
    reply = await preflight(server, HERE, path)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == HERE
    assert "post" in reply.headers["access-control-allow-methods"]
    assert {OPT_IN, "x-api-key"} <= set(reply.headers["access-control-allow-headers"].split(","))
    assert "origin" in reply.headers["vary"]


@pytest.mark.promise("http.cors")
@pytest.mark.parametrize(
    ("body", "key", "status"), [(BODY, "any", 200), (b"{}", "any", 400), (BODY, "", 401)], ids=["reply", "400", "401"]
)
async def test_a_page_of_this_machine_can_read_replies_and_errors(body: bytes, key: str, status: int):
    async with listening(api_keys=("any",)) as server:
        reply = await post(server, HERE, body, x_api_key=key)
    assert reply.status == status
    assert reply.headers["access-control-allow-origin"] == HERE
    assert reply.headers["access-control-expose-headers"] == "*"
    assert reply.headers["request-id"].startswith("req_")


@pytest.mark.promise("http.cors")
async def test_a_page_can_read_a_stream_and_what_says_that_nothing_is_here(server: Listening):
    async with server.connect() as connection:
        sent = json.dumps({**json.loads(BODY), "stream": True}).encode()
        connection.send(request(sent, origin=HERE, **{OPT_IN: "true"}))
        assert f"access-control-allow-origin: {HERE}\r\n".encode() in await connection.until(b"\r\n\r\n")
    lost = await server.ask(request(method="GET", path="/nowhere", origin=HERE, **{OPT_IN: "true"}))
    assert (lost.status, lost.headers["access-control-allow-origin"]) == (404, HERE)


@pytest.mark.promise("http.cors")
async def test_a_page_that_does_not_say_that_it_knows_what_it_does_reads_nothing(server: Listening):
    for said in ("", "false"):
        reply = await server.ask(request(BODY, origin=HERE, **{OPT_IN: said}))
        assert (reply.status, "access-control-allow-origin" in reply.headers) == (200, False)


@pytest.mark.promise("http.cors")
@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:5173",
        "https://app.localhost",
        "http://127.0.0.1",
        "http://127.1.2.3:80",
        "http://[::1]:3000",
    ],
)
async def test_this_machines_origins_are_allowed(server: Listening, origin: str):
    assert (await preflight(server, origin)).headers["access-control-allow-origin"] == origin


@pytest.mark.promise("http.cors")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "null",
        "file://localhost",
    ],
)
async def test_other_origins_are_not(server: Listening, origin: str):
    refused = await preflight(server, origin)
    assert (refused.status, json.loads(refused.body)["error"]["type"]) == (403, "permission_error")
    reply = await post(server, origin)
    assert (reply.status, "access-control-allow-origin" in reply.headers) == (200, False)
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.promise("http.cors")
@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        (("https://app.example",), "https://app.example", True),
        (("https://app.example",), "https://app.example:8443", False),
        (("https://app.example",), HERE, True),
        (("null",), "null", True),
        (("*",), "https://any.example", True),
    ],
)
async def test_the_owner_names_further_origins(origins: tuple[str, ...], origin: str, allowed: bool):
    async with listening(cors_origins=origins) as server:
        assert ((await preflight(server, origin)).status == 204) == allowed
        assert ((await post(server, origin)).headers.get("access-control-allow-origin") == origin) == allowed


@pytest.mark.promise("http.cors")
async def test_a_page_of_the_wide_net_may_ask_this_network_where_it_is_allowed(server: Listening):
    reply = await preflight(server, HERE, **{"access-control-request-private-network": "true"})
    assert reply.headers["access-control-allow-private-network"] == "true"


async def test_options_that_are_no_preflight_are_a_method_that_is_not_there(server: Listening):
    assert (await server.ask(request(method="OPTIONS", path="/v1/messages"))).status == 405


@pytest.mark.promise("http.host-names")
@pytest.mark.parametrize("path", ["/v1/models", "/", "/health"])
@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "rebound.example:8484",
        "127.0.0.1.nip.example",
        "10.1.2.3",
        "localhost.example",
        "",
        "[::2]:80",
    ],
)
async def test_a_name_that_is_not_this_machines_is_refused(server: Listening, host: str, path: str):
    sent = request(method="GET", path=path, host="x").replace(b"host: x", b"host: " + host.encode())
    reply = await server.ask(sent)
    assert (reply.status, json.loads(reply.body)["error"]["type"]) == (403, "permission_error")
    assert "allowed_hosts" in json.loads(reply.body)["error"]["message"]


@pytest.mark.promise("http.host-names")
@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:8484", "localhost.", "app.localhost:80", "127.0.0.1:8484", "127.8.8.8"),
        *("[::1]:8484", "host.docker.internal:8484", "host.containers.internal"),
    ],
)
async def test_this_machines_names_are_served(server: Listening, host: str):
    assert (await server.ask(request(method="GET", path="/v1/models", host=host))).status == 200


@pytest.mark.promise("http.host-names")
async def test_a_name_that_the_owner_allows_is_served_and_so_is_a_request_without_one(server: Listening):
    named = request(method="GET", path="/v1/models", host="models.lan:80")
    assert (await server.ask(named)).status == 403
    assert (await server.ask(request(method="GET", path="/v1/models", host="", version="1.0"))).status == 200
    for allowed in ("models.lan", "*"):
        async with listening(allowed_hosts=(allowed,)) as other:
            assert (await other.ask(named)).status == 200


@pytest.mark.promise("http.host-names")
async def test_where_a_key_is_set_every_name_is_served():
    async with listening(api_keys=("secret",)) as server:
        reply = await server.ask(request(method="GET", path="/v1/models", host="models.example", x_api_key="secret"))
    assert reply.status == 200


@pytest.mark.promise("http.host-names", "http.cors")
async def test_pages_are_kept_to_what_they_may_while_the_models_load():
    bridge = Bridge(Door(CountingEntropy(), Threshold.of(Settings(), SEALS.name)))
    assert (await bridge.ask("GET", "/v1/models", headers={"host": "rebound.example"})).status == 403
    loading = await bridge.ask("GET", "/v1/models", headers={"origin": HERE, OPT_IN: "true"})
    assert (loading.status, loading.headers["access-control-allow-origin"]) == (529, HERE)
