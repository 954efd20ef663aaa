"""`[server_tools]`: how long a reply may work with the server's own tools, and a table inside it for each of them:
`[server_tools.web_search]`, `[server_tools.web_fetch]`, and those that only an owner's own tools understand.
The first two are there without a table, too, unless the owner says otherwise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal, Self

from antiphon.config.kinds import Address, Choice, Kind, Number, Pattern, Secret, Switch, Text, Whole
from antiphon.config.option import Option, Table, key_of
from antiphon.config.reading import ConfigError, read_options

SearchProvider = Literal["searxng", "brave", "tavily", "local", "wikipedia"]

_PROVIDERS: Final = ("searxng", "brave", "tavily", "local", "wikipedia")
KEY_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({"brave": "BRAVE_API_KEY", "tavily": "TAVILY_API_KEY"})
"""Where a provider's key is looked for unless `key_env` says otherwise."""

# A key travels encrypted, or stays on this machine.
_FIT_FOR_KEYS: Final = re.compile(r"https://|http://(localhost|127(\.[0-9]+){3}|\[::1\])(?=[:/]|\Z)")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_CONTACT: Final = re.compile(r"[!-'*-~]{3,200}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How long one reply may work with the server's own tools: `rounds` of calls, `turn_seconds` in all, and
    `tool_seconds` for one run of a tool."""

    rounds: int = 10
    turn_seconds: float = 120.0
    tool_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class WebSearchSettings:
    """How the web is searched. `key`: the provider's, wherever it was written. `path`: of the local index. `contact`:
    what a provider without keys is told of the owner. `results`: pages a search finds at most, each with so many
    `characters` for the model. `timeout`: seconds."""

    provider: SearchProvider = "searxng"
    url: str | None = None
    key: str | None = field(default=None, repr=False)
    path: str | None = None
    contact: str | None = None
    language: str | None = None
    results: int = 5
    characters: int = 1000
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class WebFetchSettings:
    """How pages are fetched. `max_bytes`: of a page or PDF. `max_content_tokens`: of a page's text where the request
    does not say; 0 = no limit. `max_pages`: of a PDF. `timeout`: seconds for everything. `parallel`: pages at once.
    `cache`: bytes of fetched pages that are kept for `cache_seconds`."""

    max_bytes: int = 10 * 1024 * 1024
    max_content_tokens: int = 4096
    max_pages: int = 100
    timeout: float = 25.0
    parallel: int = 8
    cache: int = 32 * 1024 * 1024
    cache_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """What is configured of the tools that run inside the server; None: no table says that there is one. `own`:
    name → the table of a tool that an entry point brings. `off`: the tools whose tables say that there is none.
    `defaults`: whether tools that no table speaks of are there."""

    web_search: WebSearchSettings | None = None
    web_fetch: WebFetchSettings | None = None
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]], repr=False)
    off: frozenset[str] = frozenset()
    defaults: bool = True

    @property
    def by_default(self) -> tuple[str, ...]:
        """The tools that are there although no table speaks of them: those that take no account."""
        silent = (name for name in _WITHOUT_ACCOUNT if name not in self.off and getattr(self, name) is None)
        return tuple(silent) if self.defaults else ()

    def offered(self) -> Self:
        """What a server offers: what is configured, and what is there by default."""
        return replace(self, **{name: _WITHOUT_ACCOUNT[name] for name in self.by_default})


_WITHOUT_ACCOUNT: Final[Mapping[str, Any]] = MappingProxyType(
    {"web_search": WebSearchSettings(provider="wikipedia"), "web_fetch": WebFetchSettings()}
)


_SEARCH: Final[Mapping[str, Any]] = {f.name: getattr(WebSearchSettings(), f.name) for f in fields(WebSearchSettings)}
_FETCH: Final[Mapping[str, Any]] = {f.name: getattr(WebFetchSettings(), f.name) for f in fields(WebFetchSettings)}


def _search(name: str, kind: Kind, meaning: str, unset: str = "none") -> Option:
    return Option(name, kind, _SEARCH.get(name), meaning, flag=None, unset=unset)


def _fetch(name: str, kind: Kind, meaning: str) -> Option:
    return Option(name, kind, _FETCH[name], meaning, flag=None)


_ENABLED: Final = Option(
    "enabled", Switch(), True, "Whether the tool is offered; false keeps the table for later.", flag=None
)

WEB_SEARCH_OPTIONS: Final = (
    _ENABLED,
    _search(
        "provider",
        Choice(_PROVIDERS),
        "Who searches: a SearXNG of your own, Brave, Tavily, a local index, or Wikipedia.",
    ),
    _search(
        "url",
        Address(),
        "Where the provider is. Required for searxng; for local, what stands before the paths of its files; for "
        "wikipedia, what stands before the `/w/api.php` of another wiki.",
        unset="the provider's own address",
    ),
    _search("key", Secret(), "The provider's key, for brave and tavily. Better not in a file: see key_env."),
    _search(
        "key_env",
        Pattern(_NAME, "the name of an environment variable", "NAME"),
        "The environment variable that holds the key.",
        unset="BRAVE_API_KEY or TAVILY_API_KEY",
    ),
    _search(
        "path",
        Text("the path of a folder or of a .jsonl file", "PATH"),
        "What the local index holds: a folder with .html, .md and .txt files, or a .jsonl file.",
    ),
    _search(
        "contact",
        Pattern(_CONTACT, "an e-mail address or the address of a page", "CONTACT"),
        "How Wikipedia's operators reach you, sent with every search there, as they ask of everyone; without it they "
        "read the program's name and version.",
    ),
    _search(
        "language",
        Pattern(_LANGUAGE, "a language such as en", "LANGUAGE"),
        "Language of the pages to look for; searxng adds the user's country to it. Where it is not set, wikipedia "
        "goes by the letters of the query and the user's country.",
        unset="any",
    ),
    _search("results", Whole(1, 20), "Pages that a search finds at most."),
    _search("characters", Whole(100, 20_000), "Characters of each page that the model gets to read at most."),
    _search("timeout", Number(0.1, 600, "SECONDS"), "Seconds that the provider gets to answer."),
)

WEB_FETCH_OPTIONS: Final = (
    _ENABLED,
    _fetch("max_bytes", Whole(1024, 33_554_432, "BYTES"), "Largest page or PDF, in bytes."),
    _fetch(
        "max_content_tokens",
        Whole(0, 16_777_216, "TOKENS"),
        "Tokens of a page's text, roughly, where a request does not say how many; 0 = no limit.",
    ),
    _fetch("max_pages", Whole(1, 600), "Pages that a PDF may have."),
    _fetch("timeout", Number(0.1, 600, "SECONDS"), "Seconds in which a page is fetched and read, or given up."),
    _fetch("parallel", Whole(1, 256), "Pages that are fetched at the same time; the rest wait."),
    _fetch("cache", Whole(0, None, "BYTES"), "Memory for pages that were fetched, in bytes."),
    _fetch("cache_seconds", Number(0, 86_400, "SECONDS"), "Seconds that a page is taken from this memory."),
)

_TOOLS: Final[Mapping[str, tuple[Option, ...]]] = MappingProxyType(
    {"web_search": WEB_SEARCH_OPTIONS, "web_fetch": WEB_FETCH_OPTIONS}
)


def _read_tools(
    tables: Mapping[str, Mapping[str, Any]], said: Mapping[str, Any], env: Mapping[str, str], where: str
) -> ToolSettings:
    read: dict[str, dict[str, Any]] = {}
    off: set[str] = set()
    own: dict[str, Mapping[str, Any]] = {}
    for name, table in tables.items():
        if name not in _TOOLS:
            own[name] = table
            continue
        given = read_options(table, _TOOLS[name], f"{where}, [server_tools.{name}]")
        if given.pop("enabled", True):
            read[name] = given
        else:
            off.add(name)
    search, fetch = read.get("web_search"), read.get("web_fetch")
    return ToolSettings(
        None if search is None else _web_search(search, env, f"{where}, [server_tools.web_search]"),
        None if fetch is None else WebFetchSettings(**fetch),
        own,
        frozenset(off),
        **said,
    )


def _web_search(given: dict[str, Any], env: Mapping[str, str], place: str) -> WebSearchSettings:
    variable = given.pop("key_env", None)
    settings = WebSearchSettings(**given)
    provider = settings.provider
    if provider == "searxng" and settings.url is None:
        raise ConfigError(
            f'{place}: url is missing: where your SearXNG is, such as url = "http://127.0.0.1:8888"; '
            'or provider = "wikipedia", which needs none'
        )
    if provider == "local" and settings.path is None:
        raise ConfigError(f"{place}: path is missing: a folder with .html, .md and .txt files, or a .jsonl file")
    if provider not in KEY_VARIABLES:
        return settings
    if settings.url is not None and not _FIT_FOR_KEYS.match(settings.url):
        raise ConfigError(f"{place} url: the key for {provider} travels over https only")
    if settings.key is not None:
        return settings
    name = variable or KEY_VARIABLES[provider]
    try:
        return replace(settings, key=Secret().from_text(env.get(name, "")))
    except ValueError as wrong:
        said = "is not set" if not env.get(name) else f"is wrong: {wrong}"
        raise ConfigError(f"{place}: {provider} needs a key, and the variable {name} {said}") from None


_turn = partial(key_of, "server_tools", TurnLimits())

SERVER_TOOLS: Final = Table(
    "server_tools",
    "Tools that run inside the server, a table each, and how long a reply may work with them.",
    TurnLimits,
    (
        _turn(
            "rounds", Whole(1, 1000), "Rounds of calls of the server's own tools in one reply; then the turn pauses."
        ),
        _turn("turn_seconds", Number(1, 86_400, "SECONDS"), "Seconds after which a reply with such calls pauses."),
        _turn("tool_seconds", Number(0.1, 3600, "SECONDS"), "Seconds that one run of such a tool may take."),
        key_of(
            "server_tools",
            ToolSettings(),
            "defaults",
            Switch(),
            "Whether web search (in Wikipedia) and web fetch are there without tables of their own.",
        ),
    ),
    field="turn",
    inner=_read_tools,
    within=frozenset({"defaults"}),
)
