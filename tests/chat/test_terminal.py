"""`antiphon chat` as a person sees it, on a real pseudo-terminal."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from antiphon.chat.keyboard import Lines
from antiphon.chat.showing.screen import Screen
from antiphon.chat.start import keyboard_for
from tests.chat.conftest import Server
from tests.chat.terminal import terminal

COLOURS = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]")


@pytest.mark.promise("chat.terminal", "chat.asks", "chat.pictures")
def test_a_chat_shows_markdown_folds_thoughts_asks_before_it_runs_and_outlives_ctrl_c(
    server: Server, tmp_path: Path
) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a picture.png")
    # One chat for all of it: each takes seconds to start.
    with terminal([*server.arguments, "--think", "on", "--bash"], tmp_path) as screen:
        screen.until("> ")
        screen.type("page\r")
        page = screen.until("The end.")
        assert "**" not in page
        assert "```" not in page
        assert "• one" in page
        screen.type("hard\r")
        hard = screen.until("Four.")
        assert re.search(r"Thought for \d+\.\d s", hard)
        screen.until("> ")
        screen.type("/think show\r")
        screen.until("Two and two are four.")
        screen.type("slow\r")
        screen.until("One,")
        screen.type("\x03")
        screen.until("Stopped.")
        screen.type("/usage\r")
        screen.until("of 20,000")
        screen.type("/help\r")
        shown = screen.until("Ctrl-D leaves.")
        assert "/quit" in shown
        assert max(map(len, shown.split("\n"))) <= 80
        screen.type("/nothing\r")
        screen.until("There is no /nothing")
        screen.until("> ")
        screen.type("look\r")
        assert "echo from-the-shell" in screen.until("[a]lways bash:")
        screen.type("n\r")
        assert "declined" in screen.until("It did not work.")
        screen.until("> ")
        screen.type("look\r")
        screen.until("[a]lways bash:")
        screen.type("a\r")
        screen.until("I saw it.")
        screen.until("> ")
        screen.type("look\r")
        assert "[a]lways" not in screen.until("I saw it.")
        screen.until("> ")
        screen.type(f"\x1b[200~'{tmp_path}/a picture.png'\x1b[201~")
        screen.until("[a picture.png]")
        screen.type("\r")
        screen.until("A picture.")
        screen.until("> ")
        screen.type("\x04")
        assert screen.end() == 0
    assert COLOURS.search(screen.raw)
    history = tmp_path / ".local" / "state" / "antiphon" / "chat_history"
    assert "+page" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


@pytest.mark.promise("chat.terminal")
def test_a_terminal_that_only_writes_lines_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    file = io.StringIO()
    screen = Screen(Console(file=file, force_terminal=True, width=80))
    screen.begin()
    screen.thinking("Hm.")
    screen.text("Some **bold** ")
    screen.text("words.")
    screen.end({"stop_reason": "end_turn"})
    assert re.fullmatch(
        r"Thought for 0\.0 s\. /think show unfolds it\.\nSome \*\*bold\*\* words\.\n", file.getvalue()
    )

    def typed(prompt: str) -> str:
        return "One line."

    monkeypatch.setattr("builtins.input", typed)
    assert isinstance(keyboard_for(screen.console, lambda path: ""), Lines)
    assert Lines().read("> ") == "One line."


@pytest.mark.promise("chat.terminal")
def test_no_color_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> str:
        file = io.StringIO()
        screen = Screen(Console(file=file, force_terminal=True, width=80, color_system="256"))
        screen.text("`code` and\n\n```python\nx = 1\n```\n")
        screen.calling("bash", {"command": "ls"})
        return file.getvalue()

    assert COLOURS.search(drawn())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not COLOURS.search(drawn())
