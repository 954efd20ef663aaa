"""Which pages a request's definition of a tool allows: `allowed_domains`, `blocked_domains`.

An entry is a host, which stands for its subdomains too, and may go on with a path, which stands for everything below
it. One `*` may stand in the path. Source: Web search tool and web fetch tool, domain filtering.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, cast
from urllib.parse import unquote

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.urls import ascii_host, host_of, web_url

_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Domain:
    """One entry. `path`: empty, or beginning with a slash."""

    host: str
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The entry that a text spells; ValueError for a scheme, a port, or a `*` where none may stand."""
        host, slash, path = text.strip().partition("/")
        name = ascii_host(host)
        if name is None or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
            raise ValueError(text)
        if path.count("*") > 1 or " " in path or not path.isprintable():
            raise ValueError(text)
        return cls(name, slash + path.rstrip("/") if path.strip("/") else "")

    def holds(self, host: str, path: str) -> bool:
        """Whether the entry stands for this place; `path` is unquoted."""
        if host != self.host and not host.endswith(f".{self.host}"):
            return False
        if not self.path:
            return True
        start, star, end = unquote(self.path).partition("*")
        pattern = re.escape(start) + (".*" if star else "") + re.escape(end)
        # `/blog` stands for /blog/post, and not for /blogger.
        return re.fullmatch(f"{pattern}(?:/.*)?", path, re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class DomainRules:
    """Both lists; at most one of them holds anything."""

    allowed: tuple[Domain, ...] = ()
    blocked: tuple[Domain, ...] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """The rules of a tool's definition; `ToolProblem` invalid_tool_input for an entry of another form."""
        return cls(_entries(settings, "allowed_domains"), _entries(settings, "blocked_domains"))

    def __bool__(self) -> bool:
        return bool(self.allowed or self.blocked)

    def allow(self, url: str) -> bool:
        """Whether the URL may be shown or fetched."""
        parts = web_url(url)
        host = None if parts is None else host_of(parts)
        if parts is None or host is None:
            return False
        # What is compared is where the path leads, not how it is spelled.
        path = posixpath.normpath("/" + unquote(parts.path).lstrip("/"))
        if any(domain.holds(host, path) for domain in self.blocked):
            return False
        return not self.allowed or any(domain.holds(host, path) for domain in self.allowed)


def _entries(settings: Mapping[str, Any], key: str) -> tuple[Domain, ...]:
    written: list[Any] = cast("list[Any]", settings.get(key) or [])
    try:
        return tuple(dict.fromkeys(Domain.parse(str(text)) for text in written))
    except ValueError as wrong:
        raise ToolProblem("invalid_tool_input", f"{key}: {str(wrong)[:100]!r} is no domain") from None
