"""The file that a scripted model reads its replies from: TOML, checked key by key.

Described for its users in docs/scripted-engine.md.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast, get_args

from antiphon.engines.scripted.tokenizer import pieces
from antiphon.errors import EngineFault
from antiphon.ports.engine import Piece

DEFAULT_WINDOW: Final = 200_000

Finish = Literal["end", "length"]
Failure = Literal["unavailable", "died", "refused"]


class ScriptError(EngineFault):
    """The script is wrong. The text names the reply by its number, and the key."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model writes, and how. Times are in seconds.

    `pieces`: the chunks in order, each with the tokens written so far. `stop_after`: the chunks that are written
    before `failure` or `hang` happens; all when neither is set. `thinking`: what the model thinks before, where it is
    asked to. `closes`: a thought that ends with the model's own text for that.
    """

    pieces: tuple[Piece, ...]
    finish: Finish = "end"
    delay: float = 0.0
    chunk_delay: float = 0.0
    prefill: float = 0.0
    failure: Failure | None = None
    hang: bool = False
    stop_after: int | None = None
    thinking: "Reply | None" = None
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A reply and when it is given: every pattern that is set is found, and `times` (None: always) is not used up."""

    reply: Reply
    match: re.Pattern[str] | None = None
    system: re.Pattern[str] | None = None
    prompt: re.Pattern[str] | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """The rules in order, and what happens when none applies (`default`; None: the user's text is echoed)."""

    rules: tuple[Rule, ...]
    default: Reply | None
    name: str
    window: int

    @classmethod
    def parse(cls, text: str) -> "Script":
        """The script in a TOML text; raises `ScriptError` for the first mistake."""
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            raise ScriptError(f"the script is not valid TOML: {problem}") from problem
        top = _Table(data, "the script", ("model", "default", "reply"))
        model = _Table(top.table("model"), "[model]", ("name", "window"))
        default = top.table("default") if "default" in data else None
        return cls(
            rules=tuple(_rule(table, number) for number, table in enumerate(top.tables("reply"), 1)),
            default=None if default is None else _reply(_Table(default, "[default]", _REPLY_KEYS)),
            name=model.text("name") or "scripted model",
            window=model.count("window", least=1) or DEFAULT_WINDOW,
        )


def pieces_of(chunks: list[str]) -> tuple[Piece, ...]:
    """The chunks as pieces: each counts the tokens written so far."""
    written = 0
    found: list[Piece] = []
    for chunk in chunks:
        written += len(pieces(chunk))
        found.append(Piece(chunk, written))
    return tuple(found)


_THINKING_KEYS: Final = ("text", "chunks", "finish", "delay_ms", "chunk_delay_ms", "fail", "hang", "after_chunks")
_REPLY_KEYS: Final = (*_THINKING_KEYS, "prefill_ms", "thinking")
_RULE_KEYS: Final = ("match", "system", "prompt", "times", *_REPLY_KEYS)


def _rule(data: Mapping[str, Any], number: int) -> Rule:
    table = _Table(data, f"reply {number}", _RULE_KEYS)
    return Rule(
        reply=_reply(table),
        match=table.pattern("match"),
        system=table.pattern("system"),
        prompt=table.pattern("prompt"),
        times=table.count("times", least=1),
    )


def _reply(table: "_Table") -> Reply:
    finish, thinking = table.choice("finish", get_args(Finish)), table.text_or_table("thinking", _THINKING_KEYS)
    return replace(
        _written(table),
        finish=cast("Finish | None", finish) or "end",
        prefill=table.milliseconds("prefill_ms"),
        thinking=None if thinking is None else _thinking(thinking),
    )


def _thinking(table: "_Table") -> Reply:
    finish = table.choice("finish", ("close", *get_args(Finish))) or "close"
    thought = _written(table)
    return replace(thought, closes=True) if finish == "close" else replace(thought, finish=cast("Finish", finish))


def _written(table: "_Table") -> Reply:
    """What replies and thoughts have in common."""
    text, chunks = table.text("text"), table.texts("chunks")
    failure, hang = table.choice("fail", get_args(Failure)), table.flag("hang")
    stop_after = table.count("after_chunks")
    if text is not None and chunks is not None:
        raise table.wrong("`text` and `chunks` exclude each other: keep one")
    if failure is not None and hang:
        raise table.wrong("`fail` and `hang` exclude each other: keep one")
    if stop_after is not None and failure is None and not hang:
        raise table.wrong("`after_chunks` needs `fail` or `hang`")
    if text is None and chunks is None and failure is None and not hang:
        raise table.wrong("nothing to say: give `text`, `chunks`, `fail` or `hang`")
    if chunks is None:
        chunks = pieces(text or "")
    if stop_after is not None and stop_after > len(chunks):
        raise table.wrong(f"`after_chunks` is {stop_after}, but the reply has {len(chunks)} chunks")
    return Reply(
        pieces=pieces_of(chunks),
        delay=table.milliseconds("delay_ms"),
        chunk_delay=table.milliseconds("chunk_delay_ms"),
        failure=cast("Failure | None", failure),
        hang=hang,
        stop_after=(stop_after or 0) if failure is not None or hang else None,
    )


class _Table:
    """A TOML table whose keys are known; `place` says in errors where it is."""

    def __init__(self, data: Mapping[str, Any], place: str, known: tuple[str, ...]) -> None:
        self._data = data
        self._place = place
        unknown = [key for key in data if key not in known]
        if unknown:
            raise self.wrong(f"`{unknown[0]}` is not known here. Known: {', '.join(known)}")

    def wrong(self, text: str) -> ScriptError:
        """The error for a mistake in this table."""
        return ScriptError(f"{self._place}: {text}.")

    def text(self, key: str) -> str | None:
        """A string."""
        return self._of(key, str, "a string")

    def flag(self, key: str) -> bool:
        """A boolean; false when absent."""
        return self._of(key, bool, "true or false") or False

    def count(self, key: str, least: int = 0) -> int | None:
        """A whole number, not smaller than `least`."""
        value = self._data.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(f"`{key}` must be a whole number of at least {least}, not {value!r}")
        return value

    def milliseconds(self, key: str) -> float:
        """A time, in seconds; 0 when absent."""
        return (self.count(key) or 0) / 1000

    def choice(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """One of a few words."""
        value = self.text(key)
        if value is not None and value not in allowed:
            raise self.wrong(f"`{key}` must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def pattern(self, key: str) -> re.Pattern[str] | None:
        """A regular expression."""
        value = self.text(key)
        try:
            return None if value is None else re.compile(value)
        except re.error as problem:
            raise self.wrong(f"`{key}` is not a regular expression: {problem}") from problem

    def texts(self, key: str) -> list[str] | None:
        """A list of strings."""
        values = self._list(key)
        if values is not None and not all(isinstance(value, str) for value in values):
            raise self.wrong(f"`{key}` must be a list of strings")
        return cast("list[str] | None", values)

    def table(self, key: str) -> Mapping[str, Any]:
        """A table; empty when absent."""
        value: Mapping[str, Any] | None = self._of(key, dict, "a table")
        return value or {}

    def text_or_table(self, key: str, known: tuple[str, ...]) -> "_Table | None":
        """A table of these keys; a string is one with that `text`. None when absent."""
        value = self._data.get(key)
        if isinstance(value, str):
            value = {"text": value}
        elif value is not None and not isinstance(value, dict):
            raise self.wrong(f"`{key}` must be a string or a table, not {value!r}")
        return None if value is None else _Table(cast("dict[str, Any]", value), f"{self._place}, {key}", known)

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        """An array of tables; empty when absent."""
        values = self._list(key)
        if values is not None and not all(isinstance(value, dict) for value in values):
            raise self.wrong(f"`{key}` must be an array of tables: write [[{key}]]")
        return cast("list[Mapping[str, Any]]", values or [])

    def _list(self, key: str) -> list[Any] | None:
        return self._of(key, list, f"a list (an array of tables is written [[{key}]])")

    def _of(self, key: str, kind: type[Any], words: str) -> Any:
        value = self._data.get(key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong(f"`{key}` must be {words}, not {value!r}")
        return value
