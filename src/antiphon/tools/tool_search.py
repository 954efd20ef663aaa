"""The tools `tool_search_tool_regex` and `tool_search_tool_bm25`: they find deferred tools of a request.

A pattern comes from a model, or from whoever steers it, so it runs in RE2, whose time grows with the text alone; what
RE2 does not have (looking around, back-references) is an invalid pattern. Source: Tool search tool; error texts as
recorded.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol, cast

from antiphon.dialogue.tools import Tool
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.tools.search.ranking import Ranking

DEFAULT_LIMIT: Final = 5
MOST_LIMIT: Final = 10_000

_LONGEST_PATTERN: Final = 200
_LONGEST_QUERY: Final = 500

_AT_ONCE: Final = 200
"""Tools that are searched while the server waits; more are searched beside its other work."""

_REMEMBERED: Final = 8
"""Sets of tools whose words stay counted."""

_DEEPEST: Final = 20
"""Levels of a schema whose parameters are searched."""

_CASE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_ABOUT: Final = (
    "There are more tools than you see. Search among them by {how} before you say that you cannot do something; the "
    "tools that are found can be called at once. Their names, descriptions and parameters are searched."
)

_LIMIT: Final = {
    "type": "integer",
    "description": f"How many tools to find at most; {DEFAULT_LIMIT} where it is left out.",
    "minimum": 1,
    "maximum": MOST_LIMIT,
}


class _Search(Protocol):
    def __call__(self, asked: str, tools: Mapping[str, Sequence[Tool]]) -> list[str]: ...


class ToolSearch:
    """One way of searching. `asks`: the parameter that says for what, of so many characters at most."""

    result_type = "tool_search_tool_result"
    error_type = "tool_search_tool_result_error"

    def __init__(self, name: str, how: str, asks: str, longest: int, search: _Search) -> None:
        self.name = name
        self.types = (name,)
        self._asks = asks
        self._longest = longest
        self._search = search
        self._told = Tool(
            name,
            _ABOUT.format(how=how),
            {
                "type": "object",
                "properties": {
                    asks: {"type": "string", "description": f"The {how}.", "maxLength": longest},
                    "limit": _LIMIT,
                },
                "required": [asks],
                "additionalProperties": False,
            },
        )

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """See `ServerTool`; the same whatever there is to find, so that more tools spoil no cached prefix."""
        return self._told

    async def run(self, call: ServerCall) -> ServerResult:
        """References to the tools found, best first or in their order; none found is no error. `ToolProblem`."""
        asked = call.input.get(self._asks)
        if not isinstance(asked, str) or not asked.strip():
            raise _invalid(f"{self._asks}: a text is needed")
        if len(asked) > self._longest:
            raise _invalid(f"{self._asks}: {len(asked)} characters are more than {self._longest}")
        limit: object = call.input.get("limit", DEFAULT_LIMIT)
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_LIMIT:
            raise _invalid(f"limit: a number from 1 to {MOST_LIMIT} is needed")
        tools = call.searchable
        if len(tools) <= _AT_ONCE:
            names = self._search(asked, tools)
        else:
            names = await asyncio.to_thread(self._search, asked, tools)
        found = [{"type": "tool_reference", "tool_name": name} for name in names[:limit]]
        return ServerResult({"type": "tool_search_tool_search_result", "tool_references": found})

    async def aclose(self) -> None:
        """See `ServerTool`: nothing was started."""


def tool_searches() -> tuple[ToolSearch, ToolSearch]:
    """Both ways of searching, which need nothing of their owner."""
    return (
        ToolSearch("tool_search_tool_regex", "regular expression", "pattern", _LONGEST_PATTERN, _by_pattern),
        ToolSearch("tool_search_tool_bm25", "query in plain words", "query", _LONGEST_QUERY, _by_words),
    )


def _invalid(message: str) -> ToolProblem:
    return ToolProblem("invalid_tool_input", message=message)


def _by_pattern(asked: str, tools: Mapping[str, Sequence[Tool]]) -> list[str]:
    # A start without such a search does not load the library.
    import re2  # pyright: ignore[reportMissingTypeStubs] - it has no types

    engine = cast("Any", re2)
    options = engine.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        pattern = engine.compile(asked, options)
    except engine.error as problem:
        said: object = problem.args[0] if problem.args else problem
        told = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise _invalid(f"Invalid regular expression pattern: {told}") from None
    return [name for name, described in tools.items() if pattern.search("\n".join(_texts(name, described)))]


def _by_words(asked: str, tools: Mapping[str, Sequence[Tool]]) -> list[str]:
    names = list(tools)
    texts = tuple("\n".join((_in_words(name), *_texts(name, described))) for name, described in tools.items())
    return [names[place] for place in _ranking(texts).best(_in_words(asked))]


@lru_cache(maxsize=_REMEMBERED)
def _ranking(texts: tuple[str, ...]) -> Ranking:
    """An agent searches the same tools again and again."""
    return Ranking(texts)


def _in_words(text: str) -> str:
    """`getWeather` has the words that `get_weather` has."""
    return _CASE.sub(" ", text)


def _texts(name: str, described: Sequence[Tool]) -> Iterator[str]:
    yield name
    for tool in described:
        if tool.name != name:
            yield tool.name
        yield tool.description
        yield from _parameters(tool.schema, _DEEPEST)


def _parameters(schema: object, deep: int) -> Iterator[str]:
    """The names of a schema's parameters and what is said of them."""
    if not deep:
        return
    if isinstance(schema, Mapping):
        told = cast("Mapping[str, object]", schema)
        if isinstance(said := told.get("description"), str):
            yield said
        for key, inner in told.items():
            if key in ("properties", "$defs", "definitions") and isinstance(inner, Mapping):
                for name, parameter in cast("Mapping[str, object]", inner).items():
                    if key == "properties":
                        yield name
                    yield from _parameters(parameter, deep - 1)
            elif key in ("items", "additionalProperties", "anyOf", "allOf", "oneOf", "prefixItems"):
                yield from _parameters(inner, deep - 1)
    elif isinstance(schema, list):
        for inner in cast("list[object]", schema):
            yield from _parameters(inner, deep - 1)
