"""The shell, the text editors and the memory directory: their commands and parameters.

Source: API reference, Bash tool; Text editor tool; Memory tool; the official SDK's memory commands.
"""

from dataclasses import replace
from typing import Final

from antiphon.dialogue.tools import Tool
from antiphon.request.tools.parameters import Need, Schema, choice, closed, flag, held, numbers, text, tool, whole

_BASH: Final = tool(
    "bash",
    "Run commands in a bash session. The session stays open between calls, so that the working directory, variables "
    "and background jobs last. Commands cannot ask for input. Set `restart` to true, without a command, to begin a "
    "new session when the current one hangs.",
    {
        "command": text("The command line to run. Left out only when the session is restarted."),
        "restart": flag("True to restart the session instead of running a command."),
    },
    (),
    minProperties=1,
)

_COMMAND: Final = closed({"command": {"type": "string"}}, ("command",))

_RESTART: Final = closed({"restart": {"const": True}}, ("restart",))

BASH: Final = replace(_BASH, held={"anyOf": [_COMMAND, _RESTART]})


def editor(name: str, *, undo: bool, insertion: str, limit: int | None = None) -> Tool:
    """A text editor. `insertion`: the parameter that holds an insertion's text; `limit`: characters of a view."""
    commands = ["view", "create", "str_replace", "insert", *(["undo_edit"] if undo else [])]
    lines = [
        "View, create and change text files. Paths are absolute; changes last between calls. Commands:",
        "- view: show a file with line numbers, `view_range` for a part of it; or list a directory.",
        "- create: write a new file with the content of `file_text`.",
        "- str_replace: replace `old_str` by `new_str`. `old_str` must match one place of the file exactly, with all "
        "its whitespace.",
        f"- insert: put `{insertion}` behind line `insert_line`; 0 is the beginning of the file.",
    ]
    if undo:
        lines.append("- undo_edit: take the last change of the file back.")
    if limit is not None:
        lines.append(f"A view is cut after {limit} characters.")
    parameters: dict[str, Schema] = {
        "command": choice("What to do.", *commands),
        "path": text("Absolute path of the file or directory."),
        "view_range": numbers("For view: first and last line, counted from 1; -1 as the last is the end.", 2),
        "file_text": text("For create: the file's content."),
        "old_str": text("For str_replace: the text to replace."),
        "new_str": text(
            "For str_replace: the text to put in its place."
            if insertion != "new_str"
            else "For str_replace: the text to put in its place. For insert: the text to insert."
        ),
        "insert_line": whole("For insert: the line behind which the text goes.", minimum=0),
    }
    if insertion != "new_str":
        parameters[insertion] = text("For insert: the text to insert.")
    needs: dict[str, Need] = {
        "view": (("path",), ("view_range",)),
        "create": (("path", "file_text"), ()),
        "str_replace": (("path", "old_str"), ("new_str",)),
        "insert": (("path", "insert_line", insertion), ()),
        "undo_edit": (("path",), ()),
    }
    told = tool(name, "\n".join(lines), parameters, ("command", "path"))
    return held(told, "command", {command: needs[command] for command in commands})


_MEMORY: Final = tool(
    "memory",
    "\n".join(
        [
            "Keep notes in the directory /memories, which outlives this conversation. Look at it before a task and "
            "write down what should be remembered. Commands:",
            "- view: list the directory or show the file at `path`, `view_range` for some of its lines.",
            "- create: write the file at `path` with the content of `file_text`.",
            "- str_replace: replace `old_str`, which must occur once in the file, by `new_str`.",
            "- insert: put `insert_text` behind line `insert_line`; 0 is the beginning of the file.",
            "- delete: delete the file or directory at `path`.",
            "- rename: move a file or directory from `old_path` to `new_path`.",
        ]
    ),
    {
        "command": choice("What to do.", "view", "create", "str_replace", "insert", "delete", "rename"),
        "path": text("Path under /memories, for every command but rename."),
        "view_range": numbers("For view: first and last line, counted from 1; -1 as the last is the end.", 2),
        "file_text": text("For create: the file's content."),
        "old_str": text("For str_replace: the text to replace."),
        "new_str": text("For str_replace: the text to put in its place."),
        "insert_line": whole("For insert: the line behind which the text goes.", minimum=0),
        "insert_text": text("For insert: the text to insert."),
        "old_path": text("For rename: the path so far."),
        "new_path": text("For rename: the new path."),
    },
    ("command",),
)

_MEMORY_NEEDS: Final[dict[str, Need]] = {
    "view": (("path",), ("view_range",)),
    "create": (("path", "file_text"), ()),
    "str_replace": (("path", "old_str", "new_str"), ()),
    "insert": (("path", "insert_line", "insert_text"), ()),
    "delete": (("path",), ()),
    "rename": (("old_path", "new_path"), ()),
}

# What the official helper takes for a path.
_INSIDE: Final = {
    name: {"type": "string", "pattern": "^/memories(/.*)?$"} for name in ("path", "old_path", "new_path")
}

MEMORY: Final = held(_MEMORY, "command", _MEMORY_NEEDS, _INSIDE)
