"""Lines and commands, in this process, on a real server."""

import json
from pathlib import Path

import pytest
from anthropic.lib.tools import beta_tool

from antiphon.chat.commands import COMMANDS
from antiphon.chat.showing.words import harmless
from tests.chat.conftest import Server
from tests.chat.session import chat


@beta_tool
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@pytest.mark.promise("cli.chat")
def test_a_function_is_called_and_its_result_goes_back(server: Server) -> None:
    with chat(server, add) as talk:
        shown = talk.type("add", "/tools")
        assert "→ add: " in shown
        assert "← 42" in shown
        assert "It is 42." in shown
        assert [message["role"] for message in talk.conversation.messages] == ["user", "assistant"] * 2
        assert "It is 42." in talk.type("/retry")
        assert len(talk.conversation.messages) == 4


@pytest.mark.promise("chat.commands")
def test_the_last_message_is_asked_again_and_changed(server: Server) -> None:
    with chat(server) as talk:
        talk.type("One", "Two", "/retry")
        assert talk.texts == ["One", "One", "Two", "Two"]
        talk.type("/edit", "Three")
        assert talk.keyboard.begun == ["", "Two", ""]
        assert talk.texts == ["One", "One", "Three", "Three"]
        talk.type("/clear")
        assert talk.texts == []
        assert "Nothing was said yet" in talk.type("/retry")


@pytest.mark.promise("chat.commands")
def test_a_conversation_is_saved_and_gone_on_from(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    with chat(server) as talk:
        assert "Saved 2 messages" in talk.type("/system Be brief.", "/think low", "One", f"/save {path}")
    with chat(server) as other:
        other.type(f"/load {path}", "Two")
        assert other.texts == ["One", "One", "Two", "Two"]
        assert (other.conversation.system, other.conversation.thinking) == ("Be brief.", "low")
        path.write_text(json.dumps({"messages": []}))
        assert "no conversation that `/save` has written" in other.type(f"/load {path}")
        path.write_text("{")
        assert "this is not JSON" in other.type(f"/load {path}")
        assert len(other.texts) == 4


@pytest.mark.promise("chat.commands")
def test_every_command_that_is_listed_works(server: Server, tmp_path: Path) -> None:
    arguments = {"model": "claude-haiku-4-5", "attach": str(tmp_path / "a.txt"), "system": "Be kind.", "think": "off"}
    (tmp_path / "a.txt").write_text("A text.")
    paths = {name: str(tmp_path / "kept.json") for name in ("save", "load")}
    with chat(server) as talk:
        talk.type("Hello")
        for command in COMMANDS:
            line = f"/{command.name} {({**arguments, **paths}).get(command.name, '')}"
            shown = talk.type(line, *(["Hello again"] if command.name == "edit" else []))
            assert shown or command.name == "quit", line
            assert "Nothing was said yet" not in shown or command.name == "compact", line
        assert talk.conversation.model == "claude-haiku-4-5"
        assert "claude-opus-4-8" in talk.type("/model")
        assert "There is no /such" in talk.type("/such")
        assert "/think takes off, on" in talk.type("/think much")


@pytest.mark.promise("chat.compacts")
def test_a_long_conversation_goes_on_behind_a_summary(server: Server) -> None:
    with chat(server, add, compact_at=15) as talk:
        shown = talk.type("add")
        assert "A summary stands for what was said so far." in shown
        [summary, answer] = [message["content"] for message in talk.conversation.messages]
        assert (summary[0]["type"], summary[0]["content"]) == ("compaction", "They talked about numbers.")
        assert answer[0]["type"] == "text"
        assert "Hello" in talk.type("Hello")
    with chat(server) as other:
        shown = other.type("One", "/compact", "/retry")
        assert "A summary stands for what was said so far." in shown
        assert len(other.conversation.messages) == 1


@pytest.mark.promise("chat.failures")
def test_what_fails_has_not_been_said_and_can_be_asked_again(server: Server) -> None:
    with chat(server) as talk:
        talk.type("One")
        assert "overloaded_error" in talk.type("fails")
        assert talk.texts == ["One", "One"]
        assert talk.type("Two", "/retry").count("Two") == 2
        assert talk.texts == ["One", "One", "Two", "Two"]


@pytest.mark.promise("chat.harmless")
def test_no_model_steers_the_terminal(server: Server) -> None:
    with chat(server) as talk:
        shown = talk.type("escape")
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "red [31malert done" in shown
    assert harmless("a\x1b[2J\x9b1mb\tc\n") == "a[2J1mb\tc\n"


def test_a_line_with_two_slashes_is_sent_with_one(server: Server) -> None:
    with chat(server) as talk:
        talk.type("//etc is a folder")
        assert talk.texts[0] == "/etc is a folder"
