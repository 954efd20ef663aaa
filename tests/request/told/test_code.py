"""What the model is told of what code did."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from antiphon.request.told.code import CodeResultBlock, told_code
from antiphon.wire.base import WireContext

ADAPTER: TypeAdapter[CodeResultBlock] = TypeAdapter(CodeResultBlock)
EDITOR = "text_editor_code_execution"
PRINTED: dict[str, Any] = {
    "type": "bash_code_execution_result",
    "stdout": "",
    "stderr": "",
    "return_code": 0,
    "content": [],
}

CASES: dict[str, tuple[str, dict[str, Any], str, bool]] = {
    "an output as it is": ("bash_code_execution", {**PRINTED, "stdout": "a\nb\n"}, "a\nb", False),
    "nothing printed": ("bash_code_execution", PRINTED, "return code: 0", False),
    "both outputs and a failure": (
        "bash_code_execution",
        {**PRINTED, "stdout": "a\n", "stderr": "b\n", "return_code": 2},
        "a\nstderr:\nb\nreturn code: 2",
        False,
    ),
    "a command that was ended": (
        "bash_code_execution",
        {"type": "bash_code_execution_tool_result_error", "error_code": "execution_time_exceeded"},
        "execution_time_exceeded",
        True,
    ),
    "a file": (EDITOR, {"type": f"{EDITOR}_view_result", "file_type": "text", "content": "a\n"}, "a\n", False),
    "a new file": (
        EDITOR,
        {"type": f"{EDITOR}_create_result", "is_file_update": False},
        "The file was created.",
        False,
    ),
    "a changed file": (
        EDITOR,
        {"type": f"{EDITOR}_str_replace_result", "lines": ["-a", "+b"]},
        "The file was changed:\n-a\n+b",
        False,
    ),
    "a file that is not there": (
        EDITOR,
        {"type": f"{EDITOR}_tool_result_error", "error_code": "file_not_found", "error_message": "a: no such file"},
        "file_not_found: a: no such file",
        True,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_code_did_is_told_in_few_words(case: str):
    name, content, text, failed = CASES[case]
    given = {"type": f"{name}_tool_result", "tool_use_id": "srvtoolu_1", "content": content}
    block = ADAPTER.validate_python(given, context=WireContext())
    told = told_code(block, name)
    assert (told.call_id, told.name, told.text, told.is_error) == ("srvtoolu_1", name, text, failed)
