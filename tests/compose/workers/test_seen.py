"""Several processes that answer over TLS on one port, and are seen from outside as one server."""

import asyncio
import signal
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from anthropic import Anthropic, AsyncAnthropic, AuthenticationError, DefaultAsyncHttpxClient, DefaultHttpxClient
from prometheus_client.parser import text_string_to_metric_families

from antiphon.compose.listening import tls_of
from antiphon.compose.observer import StartError
from antiphon.config import Settings, TlsSettings
from tests.compose.workers.running import PATIENCE, Serving, serving, until
from tests.web.http.certificates import Certificate, make

SCRIPT = """
[[reply]]
match = "^slow$"
chunks = ["a ", "b ", "c ", "d"]
chunk_delay_ms = 300

[[reply]]
text = "Hello!"
"""

here = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make(tmp_path_factory.mktemp("certificate"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Serving]:
    script = tmp_path_factory.mktemp("script") / "script.toml"
    script.write_text(SCRIPT)
    _configure(certificate)
    config = ("--config", str(certificate.cert.parent / "antiphon.toml"))
    async with serving("--model", f"script:{script}", *config) as running:
        yield running


def _configure(certificate: Certificate, more: str = "") -> None:
    """Write the file of settings."""
    tls = f'[tls]\ncert = "{certificate.cert}"\nkey = "{certificate.key}"\n'
    (certificate.cert.parent / "antiphon.toml").write_text(f"{more}\n{tls}")


@here
@pytest.mark.promise("http.tls", "workers.even", "metrics.workers")
async def test_the_workers_answer_the_official_sdk_over_tls_and_either_tells_of_both(
    server: Serving, certificate: Certificate
) -> None:
    assert any(f"https://127.0.0.1:{server.port}" in line for line in server.said)
    said, told = await asyncio.to_thread(_ask, server.port, certificate.believed)
    assert said == ["Hello!"] * 4
    for text in told:
        families = {family.name: family for family in text_string_to_metric_families(text)}
        replies = {sample.labels["worker"]: sample.value for sample in families["antiphon_replies"].samples}
        assert (set(replies), sum(replies.values())) == ({"1", "2"}, 4)
        assert [sample.value for sample in families["antiphon_workers"].samples] == [2]


def _ask(port: int, believed: ssl.SSLContext) -> tuple[list[str], list[str]]:
    """Four replies, each on a connection of its own, all of which stay open: both workers have some. Then the metrics,
    of both of them."""
    clients: list[Anthropic] = []
    said: list[str] = []
    url = f"https://127.0.0.1:{port}"
    try:
        for _ in range(4):
            http = DefaultHttpxClient(verify=believed)
            clients.append(Anthropic(base_url=url, api_key="any", http_client=http, max_retries=0, timeout=PATIENCE))
            message = clients[-1].messages.create(
                model="claude-opus-4-8", max_tokens=20, messages=[{"role": "user", "content": "Hi"}]
            )
            said += [block.text for block in message.content if block.type == "text"]
        with httpx.Client(verify=believed, timeout=PATIENCE) as one, httpx.Client(verify=believed) as two:
            told = [client.get(f"{url}/metrics").raise_for_status().text for client in (one, two)]
    finally:
        for client in clients:
            client.close()
    return said, told


@here
@pytest.mark.promise("reload.keys-and-limits", "reload.loses-nothing", "reload.wrong-file")
async def test_all_workers_heed_a_new_configuration_and_lose_no_stream(
    server: Serving, certificate: Certificate
) -> None:
    url = f"https://127.0.0.1:{server.port}"
    other = make(certificate.cert.parent, "other")
    async with _client(url, certificate.believed, "any") as before:
        async with before.messages.stream(**_ask_for("slow")) as stream:
            texts = aiter(stream.text_stream)
            said = await anext(texts)
            _configure(other, 'api_keys = ["new"]')
            server.kill(number=signal.SIGHUP)
            await until(lambda: _heard(server, "was read again: api_keys, tls"), "the word of the reload")
            said += "".join([text async for text in texts])
        assert said == "a b c d"
    for _ in range(4):  # connections of their own: both workers have some
        async with _client(url, other.believed, "new") as after, _client(url, other.believed, "any") as old:
            await after.models.list()
            with pytest.raises(AuthenticationError):
                await old.models.list()
    _configure(other, 'api_keys = ["newer"]\nmax_bdy = 1')
    server.kill(number=signal.SIGHUP)
    await until(lambda: _heard(server, "stays as it was"), "the word of the wrong file")
    async with _client(url, other.believed, "new") as still:
        await still.models.list()


def _heard(server: Serving, text: str) -> bool:
    return any(text in line for line in server.said)


def _ask_for(text: str) -> Any:
    return {"model": "claude-opus-4-8", "max_tokens": 20, "messages": [{"role": "user", "content": text}]}


def _client(url: str, believed: ssl.SSLContext, key: str) -> AsyncAnthropic:
    http = DefaultAsyncHttpxClient(verify=believed)
    return AsyncAnthropic(base_url=url, api_key=key, http_client=http, max_retries=0, timeout=PATIENCE)


@pytest.mark.promise("http.tls-wrong-files")
def test_a_certificate_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^tls: .*gone\.pem cannot be read: No such file"):
        tls_of(Settings(tls=TlsSettings(str(tmp_path / "gone.pem"))))
