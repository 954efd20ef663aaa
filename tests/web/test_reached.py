"""By which URL a client has reached the server, and from where: with and without a proxy that says so."""

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from antiphon.config import Settings
from antiphon.ports.engine import EngineHealth
from antiphon.testing import Bridge, engine_app
from antiphon.web.headers import FIELDS, by_name
from antiphon.web.reached import PROXIES, Proxies, base_url, client_address
from tests.service.engines import PlannedEngine


def asked(peer: str | None = "127.0.0.1", /, **fields: str) -> Request:
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    scope = {"type": "http", "scheme": "http", "server": ("127.0.0.1", 8484), "headers": headers}
    trusted = Proxies((*Settings().trusted_proxies, "10.1.0.0/16"))
    return Request({**scope, FIELDS: by_name(headers), PROXIES: trusted, "client": peer and (peer, 1)})


@pytest.mark.promise("batches.results-url")
@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "localhost:8484"}, "http://localhost:8484"),
        ({"host": "[::1]:8484"}, "http://[::1]:8484"),
        ({}, "http://127.0.0.1:8484"),
        ({"host": "a b{c}"}, "http://127.0.0.1:8484"),
        ({"host": "inside", "x_forwarded_proto": "https"}, "https://inside"),
        (
            {"host": "inside", "x_forwarded_proto": "https, http", "x_forwarded_host": "api.example, inside"},
            "https://api.example",
        ),
        ({"host": "a", "x_forwarded_prefix": "/llm/"}, "http://a/llm"),
        ({"host": "a", "x_forwarded_prefix": "//evil"}, "http://a"),
        ({"host": "a", "x_forwarded_proto": "ftp"}, "http://a"),
    ],
)
def test_the_url_is_the_one_that_the_client_has_called(fields: dict[str, str], url: str) -> None:
    assert base_url(asked(**fields)) == url


@pytest.mark.promise("http.trusted-proxies")
@pytest.mark.parametrize(
    ("peer", "believed"),
    [
        *(("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.1.2.3", True)),
        *(("10.2.0.1", False), ("2001:db8::1", False), ("a socket", False), (None, False)),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str | None, believed: bool) -> None:
    said = {"x_forwarded_proto": "https", "x_forwarded_host": "api.example", "x_forwarded_prefix": "/llm"}
    request = asked(peer, host="inside", x_forwarded_for="192.0.2.7", **said)
    assert base_url(request) == ("https://api.example/llm" if believed else "http://inside")
    assert client_address(request) == ("192.0.2.7" if believed else peer or "")


@pytest.mark.promise("http.trusted-proxies")
@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("127.0.0.1, 192.0.2.7", "192.0.2.7"),
        ("127.0.0.1, 192.0.2.7, 10.1.0.9", "192.0.2.7"),
        ("10.1.0.8,10.1.0.9", "10.1.0.8"),
        ("127.0.0.1, unknown", "unknown"),
    ],
)
def test_what_a_client_wrote_itself_is_not_its_address(said: str, client: str) -> None:
    assert client_address(asked(x_forwarded_for=said)) == client


class SickEngine(PlannedEngine):
    """An engine that cannot answer."""

    async def health(self) -> EngineHealth:
        """Why not."""
        return EngineHealth(False, "http://10.0.0.5:8000: connection refused")


@pytest.mark.promise("http.trusted-proxies", "health.private")
async def test_who_comes_through_a_proxy_of_this_machine_is_not_on_it() -> None:
    async with engine_app(SickEngine([])) as bridge:
        here = await bridge.ask("GET", "/health")
        elsewhere = await bridge.ask("GET", "/health", headers={"x-forwarded-for": "192.0.2.7"})
        proxy = Bridge(_seen_from(bridge, "192.0.2.7"))
        lying = await proxy.ask("GET", "/health", headers={"x-forwarded-for": "127.0.0.1"})
    assert ["models" in reply.json for reply in (here, elsewhere, lying)] == [True, False, False]


def _seen_from(bridge: Bridge, host: str):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await bridge.app({**scope, "client": (host, 1)}, receive, send)

    return app
