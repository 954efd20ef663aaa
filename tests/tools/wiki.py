"""A wiki of MediaWiki on loopback, as its clients see it: one for each language, and strict about manners."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.tools.stand_ins import Asked, Provider, WebPage, whole

_PATH = "/w/api.php"


@dataclass
class WikiStandIn(Provider):
    """`others`: language → the pages of its wiki, which is at `/LANGUAGE`; `pages` is the wiki without one.
    `error`: what every answer says instead. `together`: the most requests that it had to answer at once."""

    others: Mapping[str, tuple[WebPage, ...]] = field(default_factory=dict[str, tuple[WebPage, ...]])
    error: Mapping[str, Any] | None = None
    together: int = 0

    @property
    def template(self) -> str:
        """Where the wikis of all languages are."""
        return f"{self.url}/{{language}}"

    def answer(self, asked: Asked) -> tuple[int, Any]:
        self.together = max(self.together, self.open)
        language = asked.path.removesuffix(_PATH).removeprefix("/")
        pages = self.others.get(language) if language else self.pages
        if asked.method != "GET" or not asked.path.endswith(_PATH) or pages is None:
            return 404, {"error": "no such page"}
        # Who does not say whom to ask about it is not served.
        if "(" not in asked.headers.get("user-agent", "") or asked.headers.get("accept-encoding") != "gzip":
            return 403, {"error": "Please respect our robot policy"}
        if self.error is not None:
            return 200, {"error": {"docref": "See /w/api.php for API usage.", **self.error}}
        wanted = asked.params
        if wanted.get("action") != "query" or wanted.get("generator") != "search" or "maxlag" not in wanted:
            return 200, {"error": {"code": "badvalue", "info": 'Unrecognized value for parameter "action".'}}
        if len(wanted["gsrsearch"]) > 300:
            return 200, {"error": {"code": "searcherror", "info": "Search request is longer than the maximum."}}
        found = [_row(page, rank) for rank, page in enumerate(self._fitting(pages, wanted["gsrsearch"]), 1)]
        found = sorted(found[: int(wanted["gsrlimit"])], key=lambda row: row["pageid"])
        return 200, {"batchcomplete": True, **({"query": {"pages": found}} if found else {})}

    def sent(self, asked: Asked, status: int, body: bytes) -> bytes:
        return whole(gzip.compress(body), status, fields="Content-Encoding: gzip\r\n")

    def _fitting(self, pages: tuple[WebPage, ...], query: str) -> list[WebPage]:
        words = query.lower().replace(" or ", " ").split()
        holds = any if " OR " in query else all
        return [page for page in pages if holds(word in f"{page.title} {page.text}".lower() for word in words)]


def _row(page: WebPage, rank: int) -> dict[str, Any]:
    revisions = {} if page.published is None else {"revisions": [{"timestamp": page.published}]}
    return {
        # The list is in the order of these, which is not the order of the results.
        "pageid": 1000 - rank,
        "ns": 0,
        "title": page.title,
        "index": rank,
        "extract": page.text,
        "contentmodel": "wikitext",
        "pagelanguage": "en",
        "pagelanguagehtmlcode": "en",
        "pagelanguagedir": "ltr",
        "touched": "2026-11-01T00:00:00Z",
        "lastrevid": 1,
        "length": 1,
        "fullurl": page.url,
        "editurl": f"{page.url}?action=edit",
        "canonicalurl": page.url,
        **revisions,
    }
