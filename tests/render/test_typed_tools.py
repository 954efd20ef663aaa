"""A call of a vendor-typed client tool has what its command needs, by decoding."""

import json
from typing import Any

import jsonschema
import pytest

from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.tools import Call, Choice, Tool
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.reply import reply_grammar
from antiphon.render.prompt.calls import write_calls
from antiphon.request.tools.browser import MEMBERS
from antiphon.request.tools.computer import computer
from antiphon.request.tools.files import BASH, MEMORY, editor
from tests.render.grammar.test_calls import calls_of
from tests.render.tool_cases import read
from tests.render.walk import accepts, walk

EDITOR = editor("str_replace_based_edit_tool", undo=False, insertion="insert_text")
OLD_EDITOR = editor("str_replace_editor", undo=True, insertion="new_str")
SCREEN = computer(800, 600, None, version=3, zoom=True)
FIRST_SCREEN = computer(800, 600, None, version=1)
UPLOAD = Tool("upload", "", MEMBERS["file_upload"].schema, held=MEMBERS["file_upload"].held)
TYPED = (MEMORY, EDITOR, OLD_EDITOR, BASH, SCREEN, FIRST_SCREEN, UPLOAD)
TEXTUAL = [family for family in FAMILIES if not family.syntax.control]


def grammar(family: Family, tool: Tool) -> str:
    turn = Turn("user", (Text("a"),))
    made = reply_grammar(family, Conversation((), (turn,), None, (tool,), Choice("tool", tool.name, False)), {})
    assert made is not None
    return made


@pytest.mark.promise("tools.valid-for-their-command")
@pytest.mark.parametrize("family", TEXTUAL, ids=lambda family: family.name)
@pytest.mark.parametrize(
    ("tool", "value", "fine"),
    [
        (MEMORY, {"command": "view", "path": "/memories"}, True),
        (MEMORY, {"command": "view", "path": "/memories", "view_range": [1, 9]}, True),
        (MEMORY, {"command": "view"}, False),
        (MEMORY, {"command": "view", "path": "/memories", "file_text": "x"}, False),
        (MEMORY, {"command": "create", "path": "/memories/a"}, False),
        (MEMORY, {"command": "create", "path": "/memories/a", "file_text": "b"}, True),
        (MEMORY, {"command": "rename", "path": "/memories/a"}, False),
        (MEMORY, {"command": "rename", "old_path": "/memories/a", "new_path": "/memories/b"}, True),
        (MEMORY, {"command": "rename", "old_path": "/memories/a", "new_path": "/b"}, False),
        (MEMORY, {"command": "view", "path": "/memoriesa"}, False),
        (EDITOR, {"command": "insert", "path": "/a", "insert_line": 0, "insert_text": "x"}, True),
        (EDITOR, {"command": "insert", "path": "/a"}, False),
        (EDITOR, {"command": "str_replace", "path": "/a", "old_str": "x"}, True),
        (EDITOR, {"command": "undo_edit", "path": "/a"}, False),
        (OLD_EDITOR, {"command": "undo_edit", "path": "/a"}, True),
        (OLD_EDITOR, {"command": "insert", "path": "/a", "insert_line": 3, "new_str": "x"}, True),
        (BASH, {"command": "ls"}, True),
        (BASH, {"restart": True}, True),
        (BASH, {"restart": False}, False),
        (BASH, {}, False),
        (SCREEN, {"action": "screenshot"}, True),
        (SCREEN, {"action": "left_click"}, True),
        (SCREEN, {"action": "left_click", "coordinate": [1, 2]}, True),
        (SCREEN, {"action": "mouse_move"}, False),
        (SCREEN, {"action": "mouse_move", "coordinate": [1, 2]}, True),
        (SCREEN, {"action": "scroll", "scroll_direction": "up"}, False),
        (SCREEN, {"action": "scroll", "scroll_direction": "up", "scroll_amount": 3}, True),
        (SCREEN, {"action": "zoom", "region": [0, 0, 9, 9]}, True),
        (FIRST_SCREEN, {"action": "left_click", "coordinate": [1, 2]}, False),
        (FIRST_SCREEN, {"action": "type", "text": "x"}, True),
        (UPLOAD, {"target": {"type": "ref", "ref": "ref_1"}}, False),
    ],
    ids=lambda value: value.name if isinstance(value, Tool) else json.dumps(value),
)
def test_a_call_is_valid_for_its_command(family: Family, tool: Tool, value: dict[str, Any], fine: bool) -> None:
    assert accepts(grammar(family, tool), write_calls(family.syntax, [Call("a", tool.name, value)], [tool])) is fine


@pytest.mark.promise("tools.valid-for-their-command")
@pytest.mark.parametrize("tool", TYPED, ids=lambda tool: f"{tool.name}-{len(tool.description)}")
def test_whatever_the_dice_say_a_call_fits_what_is_told_and_what_is_held(tool: Tool) -> None:
    made = grammar(UNIVERSAL, tool)
    ended = 0
    for seed in range(12):
        text, whole = walk(made, seed, most=300)
        if whole:
            ended += 1
            ((name, value),) = calls_of(read(UNIVERSAL.syntax, [text], tools=[tool], forced=True))
            assert name == tool.name
            for schema in (tool.schema, tool.held):
                jsonschema.validate(value, dict(schema or {}))
    assert ended


@pytest.mark.promise("tools.vendor-typed-are-described")
def test_what_a_tool_is_held_to_takes_no_room_in_the_prompt() -> None:
    assert all(tool.held is not None and "anyOf" not in tool.schema for tool in TYPED)
