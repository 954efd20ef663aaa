"""The options of the tools that run inside the server: `[server_tools.web_search]`, `[server_tools.web_fetch]`, and
the tables of an owner's own tools, which only those tools understand."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final

from antiphon.config.kinds import Choice, Kind, Number, Switch, Text, Whole, shown
from antiphon.config.models import as_table, nearest, read_options
from antiphon.config.options import Option
from antiphon.config.settings import ConfigError
from antiphon.config.tool_settings import ToolSettings, WebFetchSettings, WebSearchSettings

_PROVIDERS: Final = ("searxng", "brave", "tavily", "local")
KEY_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({"brave": "BRAVE_API_KEY", "tavily": "TAVILY_API_KEY"})
"""Where a provider's key is looked for unless `key_env` says otherwise."""

_ADDRESS: Final = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?(/[!-~]*)?", re.ASCII)
_LOOPBACK: Final = re.compile(r"localhost|127(\.[0-9]+){3}|\[::1\]")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Secret:
    """A key, visible ASCII; an error never quotes it."""

    wanted: str = "a key of visible ASCII characters, without spaces"
    metavar: str = "KEY"

    def from_text(self, text: str) -> str:
        return self.from_toml(text)

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not value or not all("!" <= char <= "~" for char in value):
            raise ValueError(f"the value is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL, without a slash at its end."""

    wanted: str = "an address such as http://127.0.0.1:8888 or https://search.lan/searxng"
    metavar: str = "URL"

    def from_text(self, text: str) -> str:
        return self.from_toml(text)

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not _ADDRESS.fullmatch(value) or "?" in value or "#" in value:
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text of a fixed form."""

    form: re.Pattern[str]
    wanted: str
    metavar: str = "TEXT"

    def from_text(self, text: str) -> str:
        return self.from_toml(text)

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not self.form.fullmatch(value):
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value


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
    _search("provider", Choice(_PROVIDERS), "Who searches: a SearXNG of your own, Brave, Tavily, or a local index."),
    _search(
        "url",
        Address(),
        "Where the provider is. Required for searxng; for local, what stands before the paths of its files.",
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
        "language",
        Pattern(_LANGUAGE, "a language such as en", "LANGUAGE"),
        "Language of the pages to look for; searxng adds the user's country to it.",
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

TOOL_TABLES: Final = ("web_search", "web_fetch")


def read_tools(
    tables: Mapping[str, Any], env: Mapping[str, str], where: str, *, plain: Collection[str] = ()
) -> ToolSettings:
    """What `[server_tools]` says of single tools; `plain` are its keys that someone else reads. ConfigError.

    A key with a table is a tool's; one that is neither known nor a table is wrong.
    """
    read: dict[str, dict[str, Any]] = {}
    own: dict[str, Mapping[str, Any]] = {}
    for name, value in tables.items():
        if name in plain:
            continue
        known = [*plain, *TOOL_TABLES]
        if not isinstance(value, Mapping):
            allowed = f"(allowed: {', '.join(known)}, and tables of tools of your own)"
            raise ConfigError(f"{where}, [server_tools]: unknown key '{name}'{nearest(name, known)} {allowed}")
        place = f"{where}, [server_tools.{name}]"
        table = as_table(value, place, f"[server_tools.{name}]")
        if name in TOOL_TABLES:
            options = WEB_SEARCH_OPTIONS if name == "web_search" else WEB_FETCH_OPTIONS
            given = read_options(table, options, place)
            if given.pop("enabled", True):
                read[name] = given
        else:
            own[name] = table
    search, fetch = read.get("web_search"), read.get("web_fetch")
    return ToolSettings(
        None if search is None else _web_search(search, env, f"{where}, [server_tools.web_search]"),
        None if fetch is None else WebFetchSettings(**fetch),
        own,
    )


def _web_search(given: dict[str, Any], env: Mapping[str, str], place: str) -> WebSearchSettings:
    variable = given.pop("key_env", None)
    settings = WebSearchSettings(**given)
    provider = settings.provider
    if provider == "searxng" and settings.url is None:
        raise ConfigError(f'{place}: url is missing: where your SearXNG is, such as url = "http://127.0.0.1:8888"')
    if provider == "local" and settings.path is None:
        raise ConfigError(f"{place}: path is missing: a folder with .html, .md and .txt files, or a .jsonl file")
    if provider not in KEY_VARIABLES:
        return settings
    match = None if settings.url is None else _ADDRESS.fullmatch(settings.url)
    if match and match[1] != "https" and not _LOOPBACK.fullmatch(match[2]):
        raise ConfigError(f"{place} url: the key for {provider} travels over https only")
    if settings.key is not None:
        return settings
    name = variable or KEY_VARIABLES[provider]
    try:
        return replace(settings, key=Secret().from_text(env.get(name, "")))
    except ValueError as wrong:
        said = "is not set" if not env.get(name) else f"is wrong: {wrong}"
        raise ConfigError(f"{place}: {provider} needs a key, and the variable {name} {said}") from None
