"""HTTPS on the server's own port, asked by the official SDK and by hand."""

import asyncio
import ssl
from pathlib import Path

import pytest
from anthropic import APIConnectionError, AsyncAnthropic, DefaultAsyncHttpxClient

from antiphon.testing.bridge import WAIT
from antiphon.web.tls import TlsError, tls_context
from tests.web.http.certificates import Certificate, make
from tests.web.http.sockets import Listening, listening, request

SCRIPT = """
[[reply]]
match = "^wait$"
chunks = ["waiting", " for nothing"]
after_chunks = 1
hang = true

[[reply]]
text = "Hello!"
"""


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make(tmp_path)


def context(certificate: Certificate) -> ssl.SSLContext:
    return tls_context(str(certificate.cert), str(certificate.key))


def client(server: Listening, believed: ssl.SSLContext) -> AsyncAnthropic:
    http = DefaultAsyncHttpxClient(verify=believed)
    url = f"https://127.0.0.1:{server.port}"
    return AsyncAnthropic(base_url=url, api_key="any", http_client=http, max_retries=0, timeout=WAIT)


@pytest.mark.promise("http.tls")
async def test_the_official_sdk_is_answered_over_tls(certificate: Certificate) -> None:
    async with listening(SCRIPT, tls=context(certificate)) as server, client(server, certificate.believed) as sdk:
        message = await sdk.messages.create(
            model="claude-opus-4-8", max_tokens=20, messages=[{"role": "user", "content": "Hi"}]
        )
        async with sdk.messages.stream(
            model="claude-opus-4-8", max_tokens=20, messages=[{"role": "user", "content": "Hi"}]
        ) as stream:
            streamed = await stream.get_final_text()
    assert [block.text for block in message.content if block.type == "text"] == ["Hello!"]
    assert streamed == "Hello!"


@pytest.mark.promise("http.tls")
async def test_a_client_that_does_not_believe_the_certificate_is_not_served(certificate: Certificate) -> None:
    async with (
        listening(SCRIPT, tls=context(certificate)) as server,
        client(server, ssl.create_default_context()) as sdk,
    ):
        with pytest.raises(APIConnectionError):
            await sdk.models.list()


@pytest.mark.promise("http.tls")
async def test_what_is_not_tls_gets_no_reply(certificate: Certificate) -> None:
    async with listening(SCRIPT, tls=context(certificate)) as server, server.connect() as connection:
        connection.send(request(method="GET", path="/livez"))
        assert b"HTTP" not in await connection.rest()


@pytest.mark.promise("http.tls")
async def test_a_client_that_goes_away_is_noticed_over_tls_too(certificate: Certificate) -> None:
    body = b'{"model":"claude-opus-4-8","max_tokens":20,"stream":true,"messages":[{"role":"user","content":"wait"}]}'
    async with listening(SCRIPT, tls=context(certificate)) as server:
        async with asyncio.timeout(WAIT):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=certificate.believed)
            writer.write(request(body))
            await reader.readuntil(b"waiting")
            assert server.door.in_flight == 1
            writer.close()
        await server.busy(0)


@pytest.mark.promise("http.tls")
def test_old_versions_are_not_spoken(certificate: Certificate) -> None:
    assert context(certificate).minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.promise("http.tls-wrong-files")
def test_what_is_wrong_with_the_files_is_said(certificate: Certificate, tmp_path: Path) -> None:
    other = make(tmp_path, "other")
    gone, text = tmp_path / "gone.pem", tmp_path / "text.pem"
    text.write_text("no certificate")
    for cert, key, said in (
        (gone, certificate.key, rf"{gone} cannot be read: No such file"),
        (certificate.cert, gone, rf"{gone} cannot be read: No such file"),
        (tmp_path, None, r"cannot be read: Is a directory"),
        (
            certificate.cert,
            other.key,
            rf"the key in {other.key} is not that of the certificate in {certificate.cert}",
        ),
        (text, certificate.key, rf"there must be a certificate in {text}"),
        (
            certificate.cert,
            None,
            rf"there must be a certificate in {certificate.cert} and its key in {certificate.cert}",
        ),
    ):
        with pytest.raises(TlsError, match=said):
            tls_context(str(cert), None if key is None else str(key))


@pytest.mark.promise("http.tls-wrong-files")
def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(
    certificate: Certificate, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(certificate.key.read_bytes(), None)
    hidden = tmp_path / "hidden.key"
    hidden.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(TlsError, match=rf"the key in {hidden} is encrypted; openssl pkey"):
        tls_context(str(certificate.cert), str(hidden))


def test_one_file_may_hold_certificate_and_key(certificate: Certificate, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.cert.read_bytes() + certificate.key.read_bytes())
    assert tls_context(str(both), None).get_ca_certs() == []
