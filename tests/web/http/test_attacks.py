"""What hostile clients try on the surface itself: each is refused or harmless, and the next client is answered.

`docs/security.md` has a row for each; other files of tests have those that take more than one request.
"""

import gzip
import json
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.arch.tree import ROOT
from tests.web.http.sockets import Listening, listening, request

BODY = json.dumps(
    {"model": "claude-opus-4-8", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}
).encode()
HEAD = (
    b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nanthropic-version: 2023-06-01\r\nx-api-key: any\r\n"
    b"content-type: application/json\r\n"
)
# Behind an attack: a request that must not be taken for the connection's next.
HIDDEN = b"GET /smuggled HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
MOST = 1_000_000


@dataclass(frozen=True)
class Attack:
    """What is sent, and with which statuses it may be answered, as often as there are some. Behind the last the
    connection has to be closed, by the server or because the client had ended its sending."""

    sent: bytes
    statuses: tuple[int, ...]


def with_length(body: bytes, *lines: bytes) -> bytes:
    fields = b"".join(line + b"\r\n" for line in lines)
    return HEAD + fields + b"content-length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


ATTACKS = {
    "length and chunks": Attack(
        HEAD + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n" + chunked(BODY) + HIDDEN, (400,)
    ),
    "chunks and length": Attack(
        HEAD + b"transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n" + chunked(BODY) + HIDDEN, (400,)
    ),
    "two lengths": Attack(HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef" + HIDDEN, (400,)),
    "a length below zero": Attack(HEAD + b"content-length: -1\r\n\r\n" + HIDDEN, (400,)),
    "a length with a sign": Attack(HEAD + b"content-length: +5\r\n\r\nabcde" + HIDDEN, (400,)),
    "a length in a list": Attack(HEAD + b"content-length: 5, 5\r\n\r\nabcde" + HIDDEN, (400,)),
    "a length that overflows": Attack(HEAD + b"content-length: 99999999999999999999\r\n\r\nabc", (400,)),
    "an encoding that is none": Attack(HEAD + b"transfer-encoding: xchunked\r\n\r\n" + chunked(BODY), (400,)),
    "chunked twice": Attack(HEAD + b"transfer-encoding: chunked, identity\r\n\r\n" + chunked(BODY), (400,)),
    "a space before the colon": Attack(HEAD + b"content-length : 3\r\n\r\nabc" + HIDDEN, (400,)),
    "a folded field": Attack(HEAD + b"x-a: b\r\n c: d\r\ncontent-length: 0\r\n\r\n", (400,)),
    "a bare line feed": Attack(HEAD + b"x-a: b\ncontent-length: 3\r\n\r\nabc" + HIDDEN, (400,)),
    "a bare carriage return": Attack(HEAD + b"x-a: b\rcontent-length: 3\r\n\r\nabc" + HIDDEN, (400,)),
    "a NUL in a field": Attack(HEAD + b"x-a: b\0c\r\ncontent-length: 0\r\n\r\n", (400,)),
    "a NUL in a path": Attack(b"GET /v1/models\0 HTTP/1.1\r\nhost: x\r\n\r\n", (400,)),
    "a chunk's size that overflows": Attack(
        HEAD + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n", (400,)
    ),
    "a chunk's size that is none": Attack(HEAD + b"transfer-encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n", (400,)),
    "no HTTP": Attack(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\0" * 40, (400,)),
    "HTTP/2 without asking": Attack(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 405, 505)),
    "a way through to elsewhere": Attack(
        b"CONNECT internal.lan:22 HTTP/1.1\r\nhost: internal.lan:22\r\n\r\n", (400, 404)
    ),
    "another host's address": Attack(
        b"GET http://internal.lan/v1/models HTTP/1.1\r\nhost: internal.lan\r\nconnection: close\r\n\r\n", (403, 421)
    ),
    "a body beyond its bound": Attack(HEAD + b"content-length: 2000000\r\n\r\n", (413,)),
    "chunks beyond the bound": Attack(
        HEAD + b"transfer-encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"a" * 65_536 + b"\r\n") * 20, (413,)
    ),
    "a body that unpacks beyond it": Attack(
        with_length(gzip.compress(b" " * 20_000_000), b"content-encoding: gzip", b"connection: close"), (413,)
    ),
    "a packing that is none": Attack(with_length(b"abc", b"content-encoding: gzip", b"connection: close"), (400,)),
    "JSON without end": Attack(with_length(deep(100_000), b"connection: close"), (400,)),
    "a number without end": Attack(
        with_length(b'{"max_tokens": ' + b"9" * 500_000 + b"}", b"connection: close"), (400,)
    ),
    "keys without end": Attack(
        with_length(b'{"model": "a",' + b'"x": 1,' * 50_000 + b'"y": 1}', b"connection: close"), (400,)
    ),
    "text that is no Unicode": Attack(with_length(BODY.replace(b"hello", b"\xff\xfe"), b"connection: close"), (400,)),
    "a path upwards": Attack(
        b"GET /v1/../../etc/passwd HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n", (404,)
    ),
    "a path upwards, hidden": Attack(
        b"GET /v1/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd/content HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: any\r\n"
        b"anthropic-version: 2023-06-01\r\nanthropic-beta: files-api-2025-04-14\r\nconnection: close\r\n\r\n",
        (404,),
    ),
    "a field in a path": Attack(
        b"GET /v1/models/x%0d%0aset-cookie:%20a=b HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: any\r\n"
        b"anthropic-version: 2023-06-01\r\nconnection: close\r\n\r\n",
        (404,),
    ),
    "a field in a key": Attack(
        HEAD.replace(b"x-api-key: any", b"x-api-key: a%0d%0ab\tc")
        + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(BODY)
        + BODY,
        (200,),
    ),
    "a foreign page": Attack(with_length(BODY, b"origin: https://evil.example", b"connection: close"), (200,)),
    "a foreign name for this machine": Attack(
        with_length(BODY, b"connection: close").replace(b"host: 127.0.0.1", b"host: evil.example"), (403, 421)
    ),
}


@pytest.fixture
async def server() -> AsyncGenerator[Listening]:
    """A server that takes bodies of a million bytes."""
    async with listening(max_body=MOST) as running:
        yield running


async def answers(server: Listening, attack: Attack) -> bytes:
    async with server.connect() as connection:
        connection.send(attack.sent)
        connection.end_sending()
        try:
            return await connection.rest()
        except ConnectionResetError:
            # Closed while more was coming; what was said may be lost with it.
            return b"HTTP/1.1 %d reset\r\n\r\n" % attack.statuses[0]


@pytest.mark.promise("http.attacks")
@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_refused_or_harmless(name: str, server: Listening) -> None:
    attack = ATTACKS[name]
    said = await answers(server, attack)
    statuses = [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]
    assert len(statuses) == 1
    assert statuses[0] in attack.statuses
    assert b"set-cookie" not in said.partition(b"\r\n\r\n")[0].lower()
    assert b"access-control-allow-origin" not in said.lower()
    assert not re.search(rb"Traceback|\.py\b|site-packages", said)
    assert (await server.ask(request(BODY))).status == 200


@pytest.mark.promise("http.attacks")
async def test_what_clients_send_writes_no_line_of_the_log(
    server: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    forged = "x\nERROR antiphon: all is lost\x1b[2J\r"
    body = json.dumps({**json.loads(BODY), "model": forged}).encode()
    reply = await server.ask(request(body, user_agent="a%0d%0ab"))
    assert reply.status == 404
    assert "all is lost" in caplog.text
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if re.search(r"[\n\r\x1b]", line) and "all is lost" in line] == []


@pytest.mark.promise("auth.keys")
async def test_guessing_keys_tells_nothing_of_how_near_a_guess_is() -> None:
    async with listening(api_keys=("sk-right-one-1234567890",)) as server:
        said = {
            (await server.ask(request(BODY, x_api_key=guess))).body.partition(b'"request_id"')[0]
            for guess in ("x", "sk-right-one-123456789", "sk-right-one-12345678900", "SK-RIGHT-ONE-1234567890", "*")
        }
        right = await server.ask(request(BODY, x_api_key="sk-right-one-1234567890"))
    assert len(said) == 1
    assert b"authentication_error" in said.pop()
    assert right.status == 200


@pytest.mark.promise("http.attacks")
def test_each_attack_has_its_row_and_each_row_its_test() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows: list[str] = re.findall(r"^\| ([^|]+?) \| .* \|$", page, re.MULTILINE)
    told = [row for row in rows if row not in ("tried", "---")]
    own = [row for row in told if row in ATTACKS]
    assert own == list(ATTACKS)
    ids = re.findall(r"`([a-z-]+\.[a-z0-9-]+)`", page)
    assert ids
    contract: Any = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "contract").glob("*.toml"))
    assert [each for each in ids if f'id = "{each}"' not in contract] == []
