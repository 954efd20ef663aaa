"""`antiphon chat` in scripts: pipes, lines of JSON, exit codes."""

import io
import json
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner, Result
from PIL import Image
from rich.console import Console

from antiphon.chat.problems import ChatError
from antiphon.chat.start import keyboard_for
from antiphon.cli.main import program
from tests.chat.conftest import Server, bare, running

INSTALL = f"{sys.executable} -m pip install 'antiphon[chat]'"
ADD = '''
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)
'''


def run(server: Server, *arguments: str, given: bytes | str | None = None) -> Result:
    return CliRunner().invoke(program, [*server.arguments, *arguments], input=given)


@pytest.mark.promise("chat.pipes")
def test_what_comes_through_a_pipe_goes_before_the_question(server: Server) -> None:
    done = run(server, "say", "this", given="+ a line\n")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "+ a line\n\nsay this\n", "")


@pytest.mark.promise("chat.pipes")
def test_a_picture_comes_through_a_pipe(server: Server, tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    assert run(server, "?", given=(tmp_path / "a.png").read_bytes()).stdout == "A picture.\n"
    assert run(server, "--attach", str(tmp_path / "a.png"), "?").stdout == "A picture.\n"


@pytest.mark.promise("chat.pipes")
def test_json_has_each_message_of_the_turn(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(ADD)
    done = run(server, "--json", "--tools", str(tmp_path / "mine.py"), "add")
    lines: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["role"] for line in lines] == ["assistant", "user", "assistant"]
    assert lines[1]["content"][0]["content"] == "42"
    assert (lines[2]["content"][0]["text"], lines[2]["stop_reason"]) == ("It is 42.", "end_turn")
    failed = run(server, "--json", "fails")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["error"]["type"] in failed.stderr


@pytest.mark.promise("chat.pipes")
def test_tools_that_need_a_yes_are_not_run_where_nobody_can_say_it(server: Server) -> None:
    refused = run(server, "--bash", "look")
    assert refused.stdout == "It did not work.\n"
    assert "→ bash: echo from-the-shell" in refused.stderr
    assert run(server, "--bash", "--yes", "look").stdout == "I saw it.\n"


@pytest.mark.promise("chat.pipes")
def test_a_reply_that_is_cut_off_says_so_beside_it(server: Server) -> None:
    done = run(server, "cut")
    assert done.stdout == "One two three four five six.\n"
    assert "--max-tokens" in done.stderr


@pytest.mark.promise("chat.any-server")
def test_a_server_that_has_messages_and_nothing_else_is_enough(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(ADD)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(bare)) as found:
        assert run(found, "--tools", str(tmp_path / "mine.py"), "add").stdout == "Let me see.\nIt is 42.\n"
        nameless = CliRunner().invoke(program, ["chat", "--url", found.url, "--key", found.key, "Hi"])
        assert nameless.stderr == f"antiphon: {found.url} lists no models; --model says which one to ask\n"
        elsewhere = CliRunner().invoke(program, ["chat", "--url", f"{found.url}/x", "--model", "any", "Hi"])
        assert elsewhere.exit_code == 1
        assert "status 404, and no error of the Messages API" in elsewhere.stderr


@pytest.mark.promise("chat.failures")
def test_a_wrong_key_is_said_in_the_apis_words(server: Server) -> None:
    done = CliRunner().invoke(program, ["chat", "--url", server.url, "--key", "wrong", "Hi"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "antiphon: authentication_error: invalid x-api-key\n"


@pytest.mark.promise("chat.failures")
def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = CliRunner().invoke(program, ["chat", "--url", url, "Hi"])
    assert done.exit_code == 1
    assert done.stderr.startswith(f"antiphon: {url} cannot be reached: ")


@pytest.mark.promise("chat.failures")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--attach", "gone.png", "Hi"], "gone.png: cannot be read: No such file or directory"),
        (["--tools", "gone.py", "Hi"], "gone.py: there is no such file"),
        (["--load", "gone.json", "Hi"], "gone.json: cannot be read: No such file or directory"),
        (["--mcp", "no-such-program-anywhere", "Hi"], "--mcp no-such-program-anywhere: there is no such program"),
        (["--model", "no-such-model", "Hi"], "not_found_error: model: no-such-model"),
    ],
    ids=["picture", "tools", "conversation", "mcp", "model"],
)
def test_what_is_not_there_is_said_in_a_line(server: Server, arguments: list[str], said: str) -> None:
    done = run(server, *arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"antiphon: {said}\n")


@pytest.mark.promise("chat.failures")
def test_what_is_not_installed_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        for name in [name for name in sys.modules if name.startswith("antiphon.chat")]:
            without.delitem(sys.modules, name)
        without.setitem(sys.modules, "anthropic", None)
        done = CliRunner().invoke(program, ["chat", "Hi"])
    assert (done.exit_code, done.stderr) == (2, f"antiphon: chat takes the package `anthropic`: {INSTALL}\n")
    monkeypatch.setitem(sys.modules, "prompt_toolkit", None)
    with pytest.raises(ChatError, match=re.escape(f"a chat takes the package `prompt_toolkit`: {INSTALL}")):
        keyboard_for(Console(file=io.StringIO(), force_terminal=True), lambda path: "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chat"], "there is no question"),
        (
            ["chat", "--url", "http://127.0.0.1:1", "--adapter", "x.gguf", "Hi"],
            "--adapter describes a model to start",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(program, arguments, input="")
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.promise("chat.own-server")
def test_without_a_url_a_server_is_started_for_the_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "script.toml").write_text('[[reply]]\ntext = "Hello."\n')
    settings = {"STORES_DATA": str(tmp_path / "data"), "THINKING_KEYS": "k" * 43, "SERVER_TOOLS_DEFAULTS": "false"}
    for name, value in settings.items():
        monkeypatch.setenv(f"ANTIPHON_{name}", value)
    arguments = ["chat", "--model", f"script:{tmp_path / 'script.toml'}", "Hi"]
    done = CliRunner().invoke(program, arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "Hello.\n", "")
