"""Sessions with a real server are recorded, and played again to the byte."""

import http.client
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anthropic
import pytest

from antiphon.testing import ScriptedServer, UnexpectedRequest, record, recorded, tool_call
from antiphon.testing.recording import Recording, RecordingError
from tests.testing.asking import HELLO, TOOL, client_of


def sent(url: str, path: str, body: object, key: str = "k") -> tuple[int, bytes]:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(
        "POST", path, data, {"content-type": "application/json", "x-api-key": key, "anthropic-version": "2023-06-01"}
    )
    with connection.getresponse() as reply:
        answer = reply.status, reply.read()
    connection.close()
    return answer


def session(url: str, key: str) -> list[tuple[int, bytes]]:
    """One of everything."""
    bodies: list[Any] = [{**HELLO, "tools": [TOOL]}, {**HELLO, "stream": True}, {**HELLO, "max_tokens": 0.5}]
    return [sent(url, "/v1/messages?beta=true", body, key) for body in bodies]


@pytest.mark.promise("script.recorded")
def test_a_session_is_played_again_to_the_byte(server: ScriptedServer, tmp_path: Path) -> None:
    server.reply("Hm.", tool_call("look_up", what="ü"))
    server.reply("One two.")
    file = tmp_path / "session.json"
    with recorded(server.url, file) as url:
        then = session(url, server.api_key)
    assert [status for status, _ in then] == [200, 200, 400]
    with ScriptedServer() as again:
        again.replay(file)
        assert again.left == 3
        assert session(again.url, "another key") == then
        assert again.left == 0
        again.check()


@pytest.mark.promise("script.recorded")
def test_no_key_is_in_the_file(server: ScriptedServer, tmp_path: Path) -> None:
    server.reply("Yes.", times=None)
    file = tmp_path / "session.json"
    with recorded(server.url, file) as url, client_of(url, server.api_key) as client:
        client.messages.create(**HELLO)
    assert server.last.key == server.api_key
    text = file.read_text("utf-8")
    assert "Hello?" in text
    assert server.api_key not in text
    assert "organization" not in text


@pytest.mark.promise("script.recorded")
def test_what_was_not_recorded_is_named(server: ScriptedServer, tmp_path: Path) -> None:
    server.reply("Yes.")
    file = tmp_path / "session.json"
    with recorded(server.url, file) as url:
        sent(url, "/v1/messages", HELLO, server.api_key)
    with ScriptedServer() as again:
        again.replay(file)
        other = {**HELLO, "messages": [{"role": "user", "content": "Hullo?"}]}
        status, body = sent(again.url, "/v1/messages", other)
        assert status == 400
        assert b'messages.0.content: \\"Hello?\\" then, \\"Hullo?\\" now' in body
        assert sent(again.url, "/v1/else", HELLO)[0] == 400
        assert sent(again.url, "/v1/messages", HELLO)[0] == 200
        assert b"has no more exchanges" in sent(again.url, "/v1/messages", HELLO)[1]
        with pytest.raises(UnexpectedRequest, match="Hullo"):
            again.check()


def test_planned_replies_answer_what_was_not_recorded(server: ScriptedServer, tmp_path: Path) -> None:
    Recording([]).write(tmp_path / "empty.json")
    server.replay(tmp_path / "empty.json")
    server.reply("Yes.")
    assert sent(server.url, "/v1/messages", HELLO, server.api_key)[0] == 200


def test_a_body_that_is_no_text_is_kept(server: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    with recorded(server.url, file) as url:
        status, body = sent(url, "/v1/messages", b"\xff\x00", server.api_key)
    [kept] = Recording.read(file).exchanges
    assert (kept.status, kept.body, kept.sent) == (status, body, None)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"antiphon-recording": 2, "exchanges": []}', '{"antiphon-recording": 1, "exchanges": [{}]}'],
    ids=["empty", "a list", "of another time", "without its parts"],
)
def test_what_is_no_recording_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.json").write_text(text)
    with pytest.raises(RecordingError, match=r"session\.json|format 2"):
        Recording.read(tmp_path / "session.json")


def test_a_server_that_is_not_there_is_an_error_for_the_application(tmp_path: Path) -> None:
    with (
        recorded("http://127.0.0.1:9", tmp_path / "session.json") as url,
        client_of(url, "k") as client,
        pytest.raises(anthropic.InternalServerError, match="cannot be reached"),
    ):
        client.messages.create(**HELLO)
    assert not (tmp_path / "session.json").exists()


def test_the_program_prints_its_url_and_records(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Input:
        """Ends once a request was recorded."""

        def read(self) -> str:
            name, _, url = capsys.readouterr().out.strip().partition("=")
            assert name == "ANTHROPIC_BASE_URL"
            assert sent(url, "/v1/messages", HELLO, server.api_key)[0] == 200
            return ""

    server.reply("Yes.")
    monkeypatch.setattr(sys, "argv", ["record", "--to", server.url, str(tmp_path / "session.json")])
    monkeypatch.setattr(sys, "stdin", Input())
    record.main()
    assert len(Recording.read(tmp_path / "session.json").exchanges) == 1
