"""A picture out of the clipboard, by stand-ins of the tools that read it."""

import base64
import shlex
import sys
from pathlib import Path

import pytest

from antiphon.chat import clipboard
from antiphon.chat.problems import ChatError
from tests.chat.conftest import Server
from tests.chat.session import chat

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stand-ins are shell scripts")


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the programs that there are, but for those of the shell."""
    (tmp_path / "there").mkdir()
    (tmp_path / "picture.png").write_bytes(PNG)
    monkeypatch.setenv("PATH", str(tmp_path / "there"))
    return tmp_path / "there"


def write(programs: Path, name: str, lines: str) -> None:
    """A program that does this. `$PICTURE`: the file of a picture; `$ASKED`: where it may note what it was asked."""
    folder = programs.parent
    given = "".join(
        f"{name}={shlex.quote(str(folder / file))}\n"
        for name, file in (("PICTURE", "picture.png"), ("ASKED", "asked"))
    )
    (programs / name).write_text(f'#!/bin/sh\n{given}PATH=/bin:/usr/bin\necho "$@" >> "$ASKED"\n{lines}\n')
    (programs / name).chmod(0o755)


def asked(programs: Path) -> list[str]:
    return (programs.parent / "asked").read_text().splitlines()


WAYLAND = 'if [ "$1" = --list-types ]; then echo text/html; echo image/jpeg; echo image/png; else cat "$PICTURE"; fi'
X11 = 'case "$*" in *TARGETS) echo TIMESTAMP; echo image/png;; *) cat "$PICTURE";; esac'
APPLE = 'printf "\\302\\253data PNGf"; od -An -v -tx1 "$PICTURE" | tr -d " \\n" | tr a-f A-F; printf "\\302\\273\\n"'


@pytest.mark.promise("chat.clipboard")
@pytest.mark.parametrize(
    ("name", "lines", "asks"),
    [
        ("wl-paste", WAYLAND, "--type image/png"),
        ("xclip", X11, "-selection clipboard -o -t image/png"),
        ("pngpaste", 'cat "$PICTURE"', "-"),
        ("osascript", APPLE, "-e the clipboard as «class PNGf»"),
        ("powershell.exe", 'base64 "$PICTURE"', ""),
    ],
)
def test_each_tool_is_asked_for_the_picture_in_its_own_way(programs: Path, name: str, lines: str, asks: str) -> None:
    write(programs, name, lines)
    block = clipboard.picture()
    assert block["type"] == "image"
    assert block["source"]["media_type"] == "image/png"
    assert base64.b64decode(block["source"]["data"]) == PNG
    assert asked(programs)[-1].startswith(asks)


@pytest.mark.promise("chat.clipboard")
@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("wl-paste", "echo text/plain"),
        ("wl-paste", "echo Nothing is copied >&2; exit 1"),
        ("xclip", "echo UTF8_STRING"),
        ("xclip", 'echo "Error: target TARGETS not available" >&2; exit 1'),
        ("pngpaste", "echo 'pngpaste: No image data found on the clipboard' >&2; exit 1"),
        ("osascript", 'echo "execution error: … (-1700)" >&2; exit 1'),
        ("powershell.exe", ":"),
    ],
)
def test_a_clipboard_without_a_picture_is_said_to_have_none(programs: Path, name: str, lines: str) -> None:
    write(programs, name, lines)
    with pytest.raises(ChatError, match=r"^There is no picture in the clipboard"):
        clipboard.picture()


@pytest.mark.promise("chat.clipboard")
def test_where_no_tool_is_there_is_said_which_to_install() -> None:
    with pytest.raises(ChatError, match=r"install wl-clipboard \(Wayland\) or xclip \(X11\)"):
        clipboard.picture()


@pytest.mark.promise("chat.clipboard")
def test_a_tool_that_cannot_ask_leaves_it_to_the_next_and_is_quoted_where_none_can(programs: Path) -> None:
    write(programs, "wl-paste", "echo 'Failed to connect to a Wayland server' >&2; exit 1")
    with pytest.raises(ChatError, match=r"cannot be read: wl-paste: Failed to connect to a Wayland server$"):
        clipboard.picture()
    write(programs, "xclip", X11)
    assert clipboard.picture()["type"] == "image"


def test_a_tool_that_hangs_is_given_up(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "PATIENCE", 0.2)
    write(programs, "pngpaste", "exec sleep 60")
    with pytest.raises(ChatError, match=r"pngpaste: it said nothing for 0\.2 s"):
        clipboard.picture()


@pytest.mark.parametrize("lines", ["printf 'BM123456'", "printf 'just a text'"])
def test_what_is_no_picture_that_a_model_can_have_is_refused(programs: Path, lines: str) -> None:
    write(programs, "pngpaste", lines)
    with pytest.raises(ChatError, match="none of PNG, JPEG, GIF and WebP"):
        clipboard.picture()


@pytest.mark.promise("chat.clipboard", "chat.commands")
def test_what_is_pasted_goes_with_the_next_message(programs: Path, server: Server) -> None:
    write(programs, "wl-paste", WAYLAND)
    with chat(server) as talk:
        shown = talk.type("/paste", "What is it?")
        said = talk.conversation.messages[0]["content"]
    assert "The picture in the clipboard goes with the next message." in shown
    assert [block["type"] for block in said] == ["image", "text"]
    (programs / "wl-paste").unlink()
    with chat(server) as talk:
        assert "Nothing here reads the clipboard." in talk.type("/paste")
