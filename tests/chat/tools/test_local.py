"""The tools of this machine: bash, the editor, memory, and the question before them."""

from pathlib import Path
from typing import Any

import pytest
from anthropic.lib.tools import ToolError
from anyio.from_thread import start_blocking_portal

from antiphon.chat.tools.bash import Bash
from antiphon.chat.tools.editor import Editor
from antiphon.chat.tools.permission import AskedTool, Permission
from antiphon.chat.tools.remembering import describe, memory


def test_bash_keeps_its_shell_and_tells_how_a_command_failed(tmp_path: Path) -> None:
    with start_blocking_portal() as portal:
        bash = Bash(tmp_path, portal, timeout=20)
        bash.call({"command": "cd / && X=5"})
        assert bash.call({"command": "echo $PWD $X"}) == "/ 5"
        with pytest.raises(ToolError, match=r"(?s)oh.*exit code 3"):
            bash.call({"command": "echo oh; (exit 3)"})
        bash.call({"restart": True})
        assert bash.call({"command": "echo $PWD"}) == str(tmp_path)
        slow = Bash(tmp_path, portal, timeout=0.2)
        with pytest.raises(ToolError, match="longer than"):
            slow.call({"command": "sleep 60"})
        assert slow.call({"command": "true"}) == "(no output)"
        slow.close()
        bash.close()


def test_the_editor_does_what_the_api_says(tmp_path: Path) -> None:
    edit = Editor(tmp_path).call
    edit({"command": "create", "path": "sub/a.txt", "file_text": "one\ntwo\n"})
    edit({"command": "str_replace", "path": "sub/a.txt", "old_str": "two", "new_str": "2"})
    edit({"command": "insert", "path": "sub/a.txt", "insert_line": 1, "insert_text": "between"})
    assert (tmp_path / "sub" / "a.txt").read_text() == "one\nbetween\n2\n"
    assert edit({"command": "view", "path": "sub/a.txt", "view_range": [2, 3]}) == "     2\tbetween\n     3\t2"
    assert edit({"command": "view", "path": "."}) == "sub/"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"command": "str_replace", "path": "a.txt", "old_str": "o", "new_str": ""}, "2 times"),
        ({"command": "str_replace", "path": "a.txt", "old_str": "", "new_str": "x"}, "0 times"),
        ({"command": "insert", "path": "a.txt", "insert_line": 9, "insert_text": ""}, "from 0 to 1"),
        ({"command": "view", "path": "gone.txt"}, "No such file"),
        ({"command": "view", "path": "b.bin"}, "not a text"),
        ({"command": "view", "path": "a.txt", "view_range": [1]}, "two numbers"),
        ({"command": "undo_edit", "path": "a.txt"}, "Unknown command"),
        ({"command": "view"}, "`path` is missing"),
    ],
)
def test_what_the_editor_cannot_do_is_told_to_the_model(given: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("foo\n")
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe")
    with pytest.raises(ToolError, match=said):
        Editor(tmp_path).call(given)
    assert (tmp_path / "a.txt").read_text() == "foo\n"


@pytest.mark.promise("chat.asks")
def test_only_looking_into_the_folder_needs_no_question(tmp_path: Path) -> None:
    editor, asked = Editor(tmp_path), list[str]()

    def answer(name: str, what: str) -> str:
        asked.append(what)
        return "n"

    tool = AskedTool(editor, Permission(answer), editor.describe)
    assert tool.call({"command": "view", "path": "."}) == ""
    assert asked == []
    created = {"command": "create", "path": "y/../x", "file_text": "new"}
    for given in ({"command": "view", "path": "sub/../../.."}, created):
        with pytest.raises(ToolError, match="declined"):
            tool.call(given)
    assert asked == [f"view {tmp_path.parent.parent}", "create x\n+ new"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("chat.asks")
def test_memory_asks_before_it_changes_and_not_before_it_looks(tmp_path: Path) -> None:
    asked = list[str]()

    def answer(name: str, what: str) -> str:
        asked.append(what)
        return "y"

    tool = AskedTool(memory(tmp_path), Permission(answer), describe)
    tool.call({"command": "create", "path": "/memories/cat.txt", "file_text": "Tibbles"})
    assert "Tibbles" in str(tool.call({"command": "view", "path": "/memories/cat.txt"}))
    assert asked == ["create /memories/cat.txt\nTibbles"]
    assert (tmp_path / "memories" / "cat.txt").read_text() == "Tibbles"
