"""Tavily. Source: its documentation, Search endpoint."""

import re
from collections.abc import Mapping
from typing import Any, Final

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.domains import Domain
from antiphon.tools.search.json_api import JsonApi, rows
from antiphon.tools.search.port import Found, SearchQuery

URL: Final = "https://api.tavily.com"
_MOST: Final = 20
_MOST_ALLOWED: Final = 300
_MOST_BLOCKED: Final = 150
_KEY: Final = "is the key right? It is [server_tools.web_search] key_env or key"
_SPENT: Final = "the key's plan is used up"
_OVER_PLAN: Final = frozenset({432, 433})

# The names that Tavily knows countries by; a country that is not here is left out of the request.
_COUNTRIES: Final[Mapping[str, str]] = dict(
    re.findall(
        r"([A-Z]{2}) ([a-z ]+)",
        "AE united arab emirates;AR argentina;AT austria;AU australia;BD bangladesh;BE belgium;BG bulgaria;"
        "BO bolivia;BR brazil;BY belarus;CA canada;CH switzerland;CL chile;CN china;CO colombia;CR costa rica;"
        "CU cuba;CY cyprus;CZ czech republic;DE germany;DK denmark;DO dominican republic;DZ algeria;EC ecuador;"
        "EE estonia;EG egypt;ES spain;ET ethiopia;FI finland;FR france;GB united kingdom;GE georgia;GH ghana;"
        "GR greece;GT guatemala;HN honduras;HR croatia;HU hungary;ID indonesia;IE ireland;IL israel;IN india;"
        "IQ iraq;IR iran;IS iceland;IT italy;JM jamaica;JO jordan;JP japan;KE kenya;KR south korea;KW kuwait;"
        "KZ kazakhstan;LB lebanon;LK sri lanka;LT lithuania;LU luxembourg;LV latvia;MA morocco;MT malta;MX mexico;"
        "MY malaysia;NG nigeria;NL netherlands;NO norway;NP nepal;NZ new zealand;PA panama;PE peru;PH philippines;"
        "PK pakistan;PL poland;PT portugal;PY paraguay;QA qatar;RO romania;RS serbia;RU russia;SA saudi arabia;"
        "SE sweden;SG singapore;SI slovenia;SK slovakia;SN senegal;SV el salvador;TH thailand;TN tunisia;"
        "TR turkey;TW taiwan;TZ tanzania;UA ukraine;UG uganda;US united states;UY uruguay;VE venezuela;VN vietnam;"
        "ZA south africa;ZM zambia;ZW zimbabwe;",
    )
)


class Tavily:
    """Asks with the owner's `key`."""

    name = "tavily"
    longest_query = 400

    def __init__(self, key: str, timeout: float, url: str = URL) -> None:
        self._api = JsonApi(
            self.name,
            url,
            timeout,
            headers={"Authorization": f"Bearer {key}"},
            hints={401: _KEY, 403: _KEY, 432: _SPENT, 433: _SPENT},
            busy=_OVER_PLAN,
        )

    async def search(self, query: SearchQuery) -> list[Found]:
        """See `SearchProvider`. Of a place it takes the country, and knows no languages."""
        body: dict[str, Any] = {
            "query": query.text,
            "max_results": min(query.count, _MOST),
            "search_depth": "basic",
            "topic": "general",
        }
        if query.rules.allowed:
            body["include_domains"] = _hosts(query.rules.allowed)
            if len(body["include_domains"]) > _MOST_ALLOWED:
                raise ToolProblem("request_too_large", f"tavily takes {_MOST_ALLOWED} allowed domains")
        if query.rules.blocked:
            # A path is not for Tavily to judge: blocking its whole host would lose other pages.
            whole = tuple(domain for domain in query.rules.blocked if not domain.path)
            body["exclude_domains"] = _hosts(whole)[:_MOST_BLOCKED]
        if country := _COUNTRIES.get(query.place.country):
            body["country"] = country
        answer = await self._api.post("/search", body)
        return [
            Found(row.get("url"), row.get("title"), row.get("content"), row.get("published_date"))
            for row in rows(answer, "results")
        ]

    async def aclose(self) -> None:
        """Close its connections."""
        await self._api.aclose()


def _hosts(domains: tuple[Domain, ...]) -> list[str]:
    return list(dict.fromkeys(domain.host for domain in domains))
