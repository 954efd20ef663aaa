"""The tool `web_search`. Source: Web search tool."""

from collections.abc import Mapping
from typing import Any, Final

from antiphon.dialogue.tools import Tool
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.tools.domains import DomainRules
from antiphon.tools.plain import harmless, plain, shortened
from antiphon.tools.search.page_age import page_age
from antiphon.tools.search.port import Found, Place, SearchProvider, SearchQuery
from antiphon.tools.urls import sameness

_MORE: Final = 20
"""Pages to ask for where rules will drop some of them."""

_LONGEST_TITLE: Final = 300
_LONGEST_URL: Final = 2000
_DESCRIPTION: Final = (
    "Search the web. The result is a list of pages with their titles, addresses and what they say about the query. "
    "Use it for what you do not know, or what may have changed since you learned it."
)
_LONGEST_QUERY: Final = 200
"""Characters that the model is told a query may have; decoding holds a model that cannot stop to it."""


class WebSearch:
    """Searches with one provider.

    `results`: pages a search finds at most. `characters`: of each page that the model reads. `language`: of the pages
    to look for.
    """

    name = "web_search"
    types: tuple[str, ...] = ("web_search_",)
    result_type = "web_search_tool_result"
    error_type = "web_search_tool_result_error"

    def __init__(
        self,
        provider: SearchProvider,
        *,
        results: int,
        characters: int,
        language: str | None = None,
    ) -> None:
        self._provider = provider
        self._results = results
        self._characters = characters
        self._language = language
        longest = min(_LONGEST_QUERY, provider.longest_query)
        self._schema = {
            "type": "object",
            "properties": {"query": {"type": "string", "description": "What to search for.", "maxLength": longest}},
            "required": ["query"],
            "additionalProperties": False,
        }

    @property
    def provider(self) -> str:
        """Who searches."""
        return self._provider.name

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """See `ServerTool`: the model learns where the user is, and that not every page is searched."""
        said = [_DESCRIPTION]
        if place := str(Place.of(settings)):
            said.append(f"The user is in {place}.")
        if allowed := settings.get("allowed_domains"):
            said.append(f"Only these domains are searched: {', '.join(map(str, allowed))}.")
        return Tool(self.name, " ".join(said), self._schema)

    async def run(self, call: ServerCall) -> ServerResult:
        """The pages found, as `web_search_result` objects; raises `ToolProblem`."""
        text = call.input.get("query")
        if not isinstance(text, str) or not (text := " ".join(harmless(text).split())):
            raise ToolProblem("invalid_tool_input", "the query is no text")
        if len(text) > self._provider.longest_query:
            raise ToolProblem(
                "query_too_long", f"{self._provider.name} takes {self._provider.longest_query} characters"
            )
        rules = DomainRules.of(call.settings)
        count = max(_MORE, self._results) if rules else self._results
        query = SearchQuery(text, count, rules, Place.of(call.settings), self._language)
        found = await self._provider.search(query)
        return ServerResult(self._shown(found, rules), {"web_search_requests": 1})

    async def aclose(self) -> None:
        """Let go of the provider."""
        await self._provider.aclose()

    def _shown(self, found: list[Found], rules: DomainRules) -> list[dict[str, Any]]:
        """Each page once, and none that the rules do not allow, whatever the provider made of them."""
        pages: dict[str, dict[str, Any]] = {}
        for page in found:
            url = page.url if isinstance(page.url, str) and len(page.url) <= _LONGEST_URL else ""
            place = sameness(url)
            if place is None or place in pages or not rules.allow(url):
                continue
            pages[place] = self._result(url, page)
            if len(pages) == self._results:
                break
        return list(pages.values())

    def _result(self, url: str, page: Found) -> dict[str, Any]:
        title = plain(page.title, _LONGEST_TITLE) or url
        text = plain(page.text, self._characters)
        return {
            "type": "web_search_result",
            "url": url,
            "title": title,
            "encrypted_content": text or shortened(title, self._characters),
            "page_age": page_age(page.age),
        }
