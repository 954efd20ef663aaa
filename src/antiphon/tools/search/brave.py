"""Brave Search. Source: its documentation, Web Search API."""

import re
from typing import Final
from urllib.parse import quote

from antiphon.tools.search.json_api import JsonApi, rows
from antiphon.tools.search.operators import with_operators
from antiphon.tools.search.port import Found, Place, SearchQuery

URL: Final = "https://api.search.brave.com"
_PATH: Final = "/res/v1/web/search"
_MOST: Final = 20
_KEY: Final = "is the key right, and its plan one for web search? It is [server_tools.web_search] key_env or key"
_COUNTRIES: Final = re.compile(
    "A[RTU]|BE|BR|C[AHLN]|D[EK]|ES|F[IR]|G[BR]|HK|I[DNT]|JP|KR|M[XY]|N[LOZ]|P[HLT]|RU|S[AE]|T[RW]|US|ZA"
)


class Brave:
    """Asks with the owner's `key`."""

    name = "brave"
    longest_query = 400

    def __init__(self, key: str, timeout: float, url: str = URL) -> None:
        hints = {401: _KEY, 403: _KEY, 422: _KEY}
        self._api = JsonApi(self.name, url, timeout, headers={"X-Subscription-Token": key}, hints=hints)

    async def search(self, query: SearchQuery) -> list[Found]:
        """See `SearchProvider`. A country that Brave has no results of its own for is left out."""
        params = {
            "q": with_operators(query.text, query.rules, self.longest_query),
            "count": str(min(query.count, _MOST)),
            "result_filter": "web",
            "text_decorations": "false",
        }
        if _COUNTRIES.fullmatch(query.place.country):
            params["country"] = query.place.country
        if query.language:
            params["search_lang"] = query.language
        answer = await self._api.get(_PATH, params, _where(query.place))
        return [
            Found(
                row.get("url"), row.get("title"), _text(row.get("description"), row.get("extra_snippets")), _age(row)
            )
            for row in rows(answer, "web", "results")
        ]

    async def aclose(self) -> None:
        """Close its connections."""
        await self._api.aclose()


def _where(place: Place) -> dict[str, str]:
    said = {
        "X-Loc-City": place.city,
        "X-Loc-State-Name": place.region,
        "X-Loc-Country": place.country,
        "X-Loc-Timezone": place.timezone,
    }
    # A client wrote them, and a header has no place for other letters.
    return {name: quote(text, safe=" /,.'()-_") for name, text in said.items() if text}


def _text(description: object, more: object) -> str:
    snippets = [description, *(more if isinstance(more, list) else [])]  # pyright: ignore[reportUnknownVariableType] - JSON
    return " ".join(dict.fromkeys(text for text in snippets if isinstance(text, str)))  # pyright: ignore[reportUnknownVariableType] - JSON


def _age(row: object) -> object:
    return row.get("page_age") or row.get("age") if isinstance(row, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
