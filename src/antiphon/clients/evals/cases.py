"""The cases of a benchmark: what is asked, and what is right. One JSON object a line.

tools: {"id", "category", "request": {"system"?, "tools", "messages"}, "expect": {"calls": [{"name", "input"}],
        "says"?: [text, …]}}
chat:  {"id", "category"?, "question", "accepts": [text, …]}
sources: {"id", "category", "request": {"system"?, "messages"}, "expect": {"cites": [{"source", "text"}], "says"?}}
        or {"id", "category", "deferred": N, "request": {"system"?, "tools", "messages"},
        "expect": {"finds": name or "", "calls": name or ""}}: to its tools come the first N of `deferred.jsonl`.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

_REQUEST: Final = ("system", "tools", "messages")


class CasesError(Exception):
    """A file of cases is wrong, or holds none that were asked for. The text says where."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool."""

    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of what the request gave to read: of which document or search result, counted from 0, and its words."""

    source: int
    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """What a model must do that has most of its tools deferred.

    `finds`: the tool that a search must find, empty where none is needed; `calls`: the one to call, empty = none.
    """

    finds: str
    calls: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question. `request`: the keys of the API's request that ask it.

    `calls`: what must be called, in any order; empty = nothing; None = not looked at. `says`: texts of which the
    reply has one, in any case of letters; empty = not looked at. `whole_words`: a text counts only as words of its
    own, so that 4 is not found in 14. `cites`: what must be cited, and nothing else; empty = not looked at. `search`:
    None = not looked at.
    """

    id: str
    category: str
    request: Mapping[str, Any]
    calls: tuple[Call, ...] | None
    says: tuple[str, ...] = ()
    whole_words: bool = False
    cites: tuple[Passage, ...] = ()
    search: Search | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A set of cases that ships in `file`, and how it is asked: `metrics` name the columns of its table in order."""

    name: str
    file: str
    max_tokens: int
    metrics: tuple[str, ...]
    read: Callable[[str, str], tuple[Case, ...]]


def read_tools(text: str, place: str) -> tuple[Case, ...]:
    """The cases in a file's text; `place` is what errors call the file. Raises `CasesError`."""
    return _read(text, place, _tool_case)


def read_chat(text: str, place: str) -> tuple[Case, ...]:
    """The questions in a file's text; `place` is what errors call the file. Raises `CasesError`."""
    return _read(text, place, _chat_case)


def read_sources(text: str, place: str) -> tuple[Case, ...]:
    """The cases of citing and of tool search in a file's text; `place` is what errors call it; as `read_tools`."""
    return _read(text, place, _source_case)


def choose(cases: Sequence[Case], categories: Collection[str], limit: int | None) -> tuple[Case, ...]:
    """The cases of these categories (none named: of all), and of those `limit`, taken evenly; raises `CasesError`."""
    known = dict.fromkeys(case.category for case in cases)
    if strange := [name for name in categories if name not in known]:
        raise CasesError(f"there is no category '{strange[0]}' (there are: {', '.join(known)})")
    found = [case for case in cases if not categories or case.category in categories]
    if limit is None or limit >= len(found):
        return tuple(found)
    return tuple(found[place * len(found) // limit] for place in range(limit))


def _read(text: str, place: str, make: Callable[["_Table"], Case]) -> tuple[Case, ...]:
    cases: dict[str, Case] = {}
    for number, line in _lines(text):
        where = f"{place}, line {number}"
        try:
            data = json.loads(line)
        except ValueError as problem:
            raise CasesError(f"{where}: this is not JSON: {problem}") from problem
        case = make(_Table(data, where))
        if case.id in cases:
            raise CasesError(f"{where}: there is another case {case.id}")
        cases[case.id] = case
    if not cases:
        raise CasesError(f"{place}: there are no cases in it")
    return tuple(cases.values())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # Not splitlines: JSON may hold line separators that end no line of this format.
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _tool_case(table: "_Table") -> Case:
    table.only("id", "category", "request", "expect")
    request, expect = table.table("request"), table.table("expect")
    request.only(*_REQUEST)
    request.items("messages")
    request.items("tools")
    expect.only("calls", "says")
    return Case(
        id=table.text("id"),
        category=table.text("category"),
        # An empty list of tools is a request without tools.
        request={key: value for key, value in request.data.items() if key != "tools" or value},
        calls=tuple(_call(item) for item in expect.tables("calls")),
        says=expect.texts("says") if "says" in expect.data else (),
    )


def _call(table: "_Table") -> Call:
    table.only("name", "input")
    return Call(table.text("name"), table.table("input").data)


def _chat_case(table: "_Table") -> Case:
    table.only("id", "category", "question", "accepts")
    return Case(
        id=table.text("id"),
        category=table.text("category") if "category" in table.data else "chat",
        request={"messages": [{"role": "user", "content": table.text("question")}]},
        calls=None,
        says=table.texts("accepts"),
        whole_words=True,
    )


def _source_case(table: "_Table") -> Case:
    return _search_case(table) if "deferred" in table.data else _citing_case(table)


def _citing_case(table: "_Table") -> Case:
    table.only("id", "category", "request", "expect")
    request, expect = table.table("request"), table.table("expect")
    request.only("system", "messages")
    request.items("messages")
    expect.only("cites", "says")
    cites = tuple(_passage(item) for item in expect.tables("cites"))
    if not cites:
        raise expect.wrong("cites", "name what must be cited")
    return Case(
        id=table.text("id"),
        category=table.text("category"),
        request=request.data,
        calls=None,
        says=expect.texts("says") if "says" in expect.data else (),
        cites=cites,
    )


def _passage(table: "_Table") -> Passage:
    table.only("source", "text")
    return Passage(table.number("source", 0), table.text("text"))


def _search_case(table: "_Table") -> Case:
    table.only("id", "category", "deferred", "request", "expect")
    request, expect = table.table("request"), table.table("expect")
    request.only(*_REQUEST)
    request.items("messages")
    expect.only("finds", "calls")
    deferred = _deferred()[: table.number("deferred", 1)]
    return Case(
        id=table.text("id"),
        category=table.text("category"),
        request={**request.data, "tools": [*request.items("tools"), *deferred]},
        calls=None,
        search=Search(expect.text("finds", empty=True), expect.text("calls", empty=True)),
    )


@cache
def _deferred() -> tuple[Mapping[str, Any], ...]:
    lines = files("antiphon.clients.evals").joinpath("deferred.jsonl").read_text("utf-8").splitlines()
    return tuple({**json.loads(line), "defer_loading": True} for line in lines)


class _Table:
    """A JSON object that is read key by key; `CasesError` says where one is wrong."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise CasesError(f"{where}: this must be an object")
        self.data = cast("dict[str, Any]", data)
        self._where = where

    def only(self, *keys: str) -> None:
        """No other keys than these."""
        if strange := [key for key in self.data if key not in keys]:
            raise CasesError(f"{self._where}: unknown key '{strange[0]}' (allowed: {', '.join(keys)})")

    def wrong(self, key: str, what: str) -> CasesError:
        """The error that says what this key must do."""
        return CasesError(f"{self._where}: '{key}' must {what}")

    def text(self, key: str, *, empty: bool = False) -> str:
        """A text; only where it may be, an empty one."""
        value = self.data.get(key)
        if not isinstance(value, str) or not (value or empty):
            raise self.wrong(key, "be a text")
        return value

    def number(self, key: str, least: int) -> int:
        """A whole number."""
        value = self.data.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"be a whole number from {least} on")
        return value

    def table(self, key: str) -> "_Table":
        """An object."""
        value = self.data.get(key)
        if not isinstance(value, dict):
            raise CasesError(f"{self._where}: '{key}' must be an object")
        return _Table(value, f"{self._where}, {key}")

    def items(self, key: str) -> list[Any]:
        """A list."""
        value = self.data.get(key)
        if not isinstance(value, list):
            raise CasesError(f"{self._where}: '{key}' must be a list")
        return cast("list[Any]", value)

    def tables(self, key: str) -> list["_Table"]:
        """A list of objects."""
        return [_Table(item, f"{self._where}, {key}") for item in self.items(key)]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, at least one."""
        items = self.items(key)
        if not items or not all(isinstance(item, str) and item for item in items):
            raise CasesError(f"{self._where}: '{key}' must be a list of texts")
        return tuple(items)


TOOLS: Final = Benchmark("tools", "tools.jsonl", 400, ("decision", "tool", "arguments", "answer"), read_tools)

CHAT: Final = Benchmark("chat", "chat.jsonl", 100, ("answer",), read_chat)

SOURCES: Final = Benchmark(
    "sources", "sources.jsonl", 400, ("cites", "place", "answer", "search", "found", "called"), read_sources
)
