"""SearXNG: a search engine of engines, self-hosted. Source: its documentation, Search API."""

from typing import Any, Final

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.search.json_api import JsonApi, rows
from antiphon.tools.search.operators import with_operators
from antiphon.tools.search.port import Found, SearchQuery

_FORMATS: Final = "its settings.yml must list json under search.formats"
_LIMITER: Final = "its limiter refuses this server; allow it in limiter.toml, or set server.limiter: false"
_BUSY: Final = ("too many requests", "captcha", "suspended")


class SearXNG:
    """Asks the instance at `url`. It finds as many pages as its own settings say."""

    name = "searxng"
    longest_query = 1000

    def __init__(self, url: str, timeout: float, ca_file: str | None = None) -> None:
        hints = {403: _FORMATS, 429: _LIMITER}
        self._api = JsonApi(self.name, url, timeout, hints=hints, ca_file=ca_file)

    async def search(self, query: SearchQuery) -> list[Found]:
        """See `SearchProvider`. A country narrows the language, where the owner set one."""
        longest = 2 * self.longest_query
        params = {"q": with_operators(query.text, query.rules, longest), "format": "json", "pageno": "1"}
        if query.language:
            country = query.place.country
            params["language"] = f"{query.language}-{country}" if country else query.language
        answer = await self._api.get("/search", params)
        if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):  # pyright: ignore[reportUnknownMemberType] - JSON
            raise ToolProblem("unavailable", "searxng: its answer has no results; is this a SearXNG?")
        found = [
            Found(row.get("url"), row.get("title"), row.get("content"), row.get("publishedDate"))
            for row in rows(answer, "results")
        ]
        if not found:
            _check_engines(answer)
        return found

    async def aclose(self) -> None:
        """Close its connections."""
        await self._api.aclose()


def _check_engines(answer: Any) -> None:
    """Nothing found because no engine answered is a failure, not an empty web."""
    silent: Any = answer.get("unresponsive_engines")
    if not isinstance(silent, list) or not silent:
        return
    told = str(silent)[:300]  # pyright: ignore[reportUnknownArgumentType] - JSON
    busy = any(word in told.lower() for word in _BUSY)
    raise ToolProblem("too_many_requests" if busy else "unavailable", f"searxng: no engine answered: {told}")
