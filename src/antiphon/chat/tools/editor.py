"""The API's text editor, on the files of the folder where the chat was started."""

from pathlib import Path
from typing import Any

from anthropic.lib.tools import BetaBuiltinFunctionTool, ToolError

_MOST_SHOWN = 100_000
_MOST_LISTED = 500


class Editor(BetaBuiltinFunctionTool):
    """Views, creates and changes files. What is wrong with a call is told to the model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def to_dict(self) -> Any:
        """Its definition, as it is sent."""
        return {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}

    def describe(self, given: dict[str, Any]) -> str | None:
        """What a call would do; None where it only looks at something in the folder."""
        command, whole = given.get("command"), self._path(str(given.get("path", "")))
        inside = whole.is_relative_to(self._folder)
        # Where a path leads is said, not how it was written.
        path = whole.relative_to(self._folder) if inside else whole
        if command == "view":
            return None if inside else f"view {path}"
        if command == "create":
            return f"create {path}\n{_changed('', given.get('file_text'))}"
        if command == "str_replace":
            return f"change {path}\n{_changed(given.get('old_str'), given.get('new_str'))}"
        if command == "insert":
            line, text = given.get("insert_line"), given.get("insert_text")
            return f"insert into {path}, behind line {line}\n{_changed('', text)}"
        raise ToolError(f"Unknown command {command!r}.")

    def call(self, input: Any) -> str:  # noqa: A002 - the SDK's name
        """Do it; the text says what came of it."""
        given: dict[str, Any] = input
        path = self._path(str(given.get("path", "")))
        try:
            match given.get("command"):
                case "view":
                    return _view(path, given.get("view_range"))
                case "create":
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(str(given.get("file_text", "")), encoding="utf-8")
                    return f"Wrote {path}."
                case "str_replace":
                    return _replace(path, str(given.get("old_str", "")), str(given.get("new_str", "")))
                case "insert":
                    return _insert(path, given.get("insert_line"), str(given.get("insert_text", "")))
                case other:
                    raise ToolError(f"Unknown command {other!r}.")
        except UnicodeDecodeError as problem:
            raise ToolError(f"{path} is not a text in UTF-8.") from problem
        except OSError as problem:
            raise ToolError(f"{path}: {problem.strerror}.") from problem

    def _path(self, text: str) -> Path:
        if not text:
            raise ToolError("`path` is missing.")
        return (self._folder / Path(text).expanduser()).resolve()


def _view(path: Path, lines: Any) -> str:
    if path.is_dir():
        names = sorted(f"{each.name}/" if each.is_dir() else each.name for each in path.iterdir())
        more = len(names) - _MOST_LISTED
        return "\n".join([*names[:_MOST_LISTED], *([f"… and {more} more"] if more > 0 else [])])
    text = path.read_text(encoding="utf-8").split("\n")
    first, last = 1, len(text)
    if lines is not None:
        if not (isinstance(lines, list) and len(lines) == 2 and all(isinstance(n, int) for n in lines)):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            raise ToolError("`view_range` has two numbers: the first and the last line.")
        first, last = max(1, int(lines[0])), len(text) if lines[1] == -1 else int(lines[1])  # pyright: ignore[reportUnknownArgumentType]
    shown = "\n".join(f"{number:6}\t{line}" for number, line in enumerate(text[first - 1 : last], first))
    if len(shown) > _MOST_SHOWN:
        shown = f"{shown[:_MOST_SHOWN]}\n… cut off; view fewer lines with `view_range`."
    return shown


def _replace(path: Path, old: str, new: str) -> str:
    text = path.read_text(encoding="utf-8")
    found = text.count(old) if old else 0
    if found != 1:
        raise ToolError(f"`old_str` is {found} times in {path}; it has to be there once.")
    path.write_text(text.replace(old, new), encoding="utf-8")
    return f"Changed {path}."


def _insert(path: Path, line: Any, new: str) -> str:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if not isinstance(line, int) or not 0 <= line <= len(lines):
        raise ToolError(f"`insert_line` is from 0 to {len(lines)}.")
    if lines and line and not lines[line - 1].endswith("\n"):
        lines[line - 1] += "\n"
    lines.insert(line, new if new.endswith("\n") else f"{new}\n")
    path.write_text("".join(lines), encoding="utf-8")
    return f"Changed {path}."


def _changed(old: Any, new: Any) -> str:
    gone = [f"- {line}" for line in str(old or "").splitlines()]
    come = [f"+ {line}" for line in str(new or "").splitlines()]
    return "\n".join([*gone, *come])
