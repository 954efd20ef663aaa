"""Several processes that answer over TLS on one port, with a real certificate."""

import asyncio
import ssl
from pathlib import Path

import pytest
from anthropic import Anthropic, DefaultHttpxClient

from antiphon.compose.listening import tls_of
from antiphon.compose.observer import StartError
from antiphon.config import Settings, TlsSettings
from tests.compose.workers.running import PATIENCE, serving
from tests.web.http.certificates import make


@pytest.mark.promise("http.tls", "workers.even")
async def test_the_workers_answer_the_official_sdk_over_tls(tmp_path: Path) -> None:
    script, certificate = tmp_path / "script.toml", make(tmp_path)
    script.write_text('[[reply]]\ntext = "Hello!"\n')
    files = ("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key))
    async with serving("--model", f"script:{script}", *files) as server:
        assert any(f"https://127.0.0.1:{server.port}" in line for line in server.said)
        said = await asyncio.to_thread(_ask, server.port, certificate.believed)
    assert said == ["Hello!"] * 4


def _ask(port: int, believed: ssl.SSLContext) -> list[str]:
    """Four replies, each on a connection of its own, all of which stay open: both workers have some."""
    clients: list[Anthropic] = []
    said: list[str] = []
    try:
        for _ in range(4):
            http = DefaultHttpxClient(verify=believed)
            url = f"https://127.0.0.1:{port}"
            clients.append(Anthropic(base_url=url, api_key="any", http_client=http, max_retries=0, timeout=PATIENCE))
            message = clients[-1].messages.create(
                model="claude-opus-4-8", max_tokens=20, messages=[{"role": "user", "content": "Hi"}]
            )
            said += [block.text for block in message.content if block.type == "text"]
    finally:
        for client in clients:
            client.close()
    return said


@pytest.mark.promise("http.tls-wrong-files")
def test_a_certificate_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^tls: .*gone\.pem cannot be read: No such file"):
        tls_of(Settings(tls=TlsSettings(str(tmp_path / "gone.pem"))))
