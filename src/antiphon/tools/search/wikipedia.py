"""Wikipedia, or another wiki of MediaWiki: the search that takes neither a key nor an account.

What it may be asked, and how often, is in its own words: a client that says who it is, one request at a time, gzip,
`maxlag`, and rest where it says so. Sources: MediaWiki, API:Search, Extension:TextExtracts, API:Etiquette,
Manual:Maxlag parameter; Wikimedia, User-Agent policy.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import aiohttp

from antiphon import __version__
from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.domains import DomainRules
from antiphon.tools.plain import plain
from antiphon.tools.search.json_api import JsonApi, NoAnswer, Refused, rows
from antiphon.tools.search.languages import LANGUAGES, languages_of
from antiphon.tools.search.pace import Pace, seconds_of, wall_clock
from antiphon.tools.search.port import Found, SearchQuery
from antiphon.tools.search.ranking import words

_LANGUAGE: Final = "{language}"
URL: Final = f"https://{_LANGUAGE}.wikipedia.org"
NO_CONTACT: Final = "its owner has not said how to be reached"
"""What a wiki's keepers read where an address belongs: an invented one would lead them nowhere."""

REST: Final = 30.0
"""Seconds of rest where the host does not say how many, and after a failure to reach it."""
INTERVAL: Final = 0.5
"""Seconds between two requests of this server."""

_PATH: Final = "/w/api.php"
_MOST: Final = 20
"""Extracts that one request gets."""
_LAG: Final = "5"
"""Seconds that a wiki's databases may lag behind; above that, it asks to be left alone for a while."""
_CONNECT: Final = 5.0
_LONGEST_REASON: Final = 200
_SHORT: Final = 4
"""Letters of a word that may be left out where longer ones are there."""
_RESTING: Final = frozenset({429, 503})


class Wikipedia:
    """Asks the wiki at `url`, below which its `/w/api.php` is; `{language}` in it stands for the language of the
    query. `contact`: how its keepers reach this server's owner."""

    name = "wikipedia"
    longest_query = 300

    def __init__(
        self,
        timeout: float,
        url: str = URL,
        *,
        contact: str | None = None,
        ca_file: str | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._url = url
        self._timeout = timeout
        self._pace = Pace(INTERVAL) if pace is None else pace
        owner = f"a self-hosted server of the Messages API; {contact or NO_CONTACT}"
        who = f"Antiphon/{__version__} ({owner}) aiohttp/{aiohttp.__version__}"
        self._api = JsonApi(
            self.name,
            url,
            timeout,
            headers={"User-Agent": who},
            ca_file=ca_file,
            packed=True,
            connect=min(_CONNECT, timeout),
        )

    async def search(self, query: SearchQuery) -> list[Found]:
        """See `SearchProvider`. Where a language's wiki finds nothing the next is asked, and in the end for pages
        with any of the words. Rules say which wikis are asked, and judge what these find."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._timeout
        for language, text in self._tries(query):
            left = end - clock()
            # Nothing was found so far. Half the time is not enough to say more than that.
            if left < self._timeout / 2:
                break
            if found := await self._find(language, text, query, left):
                return found
        return []

    async def aclose(self) -> None:
        """Close its connections."""
        await self._api.aclose()

    def _tries(self, query: SearchQuery) -> Iterator[tuple[str, str]]:
        languages = _languages(self._url, query)
        yield from ((language, query.text) for language in languages)
        wider = _any_of(query.text)
        if languages and wider and len(wider) <= self.longest_query:
            yield languages[0], wider

    async def _find(self, language: str, text: str, query: SearchQuery, within: float) -> list[Found]:
        clock = asyncio.get_running_loop().time
        end = clock() + within
        params = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "maxlag": _LAG,
            "generator": "search",
            "gsrsearch": text,
            "gsrnamespace": "0",
            "gsrlimit": str(min(query.count, _MOST)),
            "prop": "extracts|info|revisions",
            "exintro": "1",
            "explaintext": "1",
            "exlimit": "max",
            "inprop": "url",
            "rvprop": "timestamp",
        }
        base = self._url.replace(_LANGUAGE, language)
        # Half of the time stays for the answer: a host that gets too little of it would seem to be silent.
        async with self._pace.turn(within / 2):
            try:
                answer = await self._api.get(_PATH, params, base=base, within=max(0.1, end - clock()))
                _check(answer, base)
            except _Lagging as problem:
                self._pace.rest(problem, problem.seconds)
                raise
            except NoAnswer as problem:
                self._pace.rest(problem, REST)
                raise
            except Refused as problem:
                if problem.status in _RESTING:
                    asked = seconds_of(problem.retry_after, wall_clock())
                    self._pace.rest(problem, REST if asked is None else max(1.0, asked))
                raise
        return _found(answer, query.rules)


class _Lagging(ToolProblem):
    """The wiki works, and has too much to do. `seconds`: of rest."""

    def __init__(self, code: str, reason: str, seconds: float) -> None:
        super().__init__(code, reason)
        self.seconds = seconds


def _languages(url: str, query: SearchQuery) -> list[str]:
    """The languages whose wikis are asked: what is written and where, unless the owner says which, and of those only
    what the rules let be shown. Nothing: no page that may be shown is in any."""
    if _LANGUAGE not in url:
        return [""]
    wanted = (query.language,) if query.language else languages_of(query.text, query.place.country)
    host = urlsplit(url).hostname or ""
    rules = query.rules
    if rules.allowed:
        fitting = [
            language for language in wanted if any(_covers(domain.host, host, language) for domain in rules.allowed)
        ]
        wanted = tuple(fitting) or _named(host, rules)
    whole = [domain.host for domain in rules.blocked if not domain.path]
    return [language for language in wanted if not any(_covers(blocked, host, language) for blocked in whole)]


def _covers(domain: str, host: str, language: str) -> bool:
    return f".{host.replace(_LANGUAGE, language)}".endswith(f".{domain}")


def _named(host: str, rules: DomainRules) -> tuple[str, ...]:
    """The language that the rules themselves name: a wiki is one of their domains."""
    form = re.compile(re.escape(host).replace(re.escape(_LANGUAGE), "([a-z]{2,3})"))
    named = [match[1] for domain in rules.allowed if (match := form.fullmatch(domain.host))]
    # A host that is not there would look like a network that is not there.
    return tuple(language for language in named if language in LANGUAGES)[:1]


def _any_of(text: str) -> str:
    """The query for pages with any of its words; nothing where there is only one."""
    each = list(dict.fromkeys(words(text)))
    telling = [word for word in each if len(word) >= _SHORT]
    chosen = telling if len(telling) > 1 else each
    return " OR ".join(chosen) if len(chosen) > 1 else ""


def _check(answer: Any, base: str) -> None:
    """An error in an answer of status 200, and an answer that is none."""
    whole: Mapping[str, Any] = cast("Mapping[str, Any]", answer) if isinstance(answer, dict) else {}
    error: Any = whole.get("error")
    if isinstance(error, dict):
        said = cast("Mapping[str, Any]", error)
        code, info = plain(said.get("code"), _LONGEST_REASON), plain(said.get("info"), _LONGEST_REASON)
        reason = f"wikipedia at {base}: {code}: {info}"
        if code == "maxlag":
            lag = said.get("lag")
            raise _Lagging("unavailable", reason, max(5.0, float(lag) if isinstance(lag, int | float) else 0.0))
        if code == "ratelimited":
            raise _Lagging("too_many_requests", reason, REST)
        raise ToolProblem("unavailable", reason)
    if not whole.keys() & {"query", "batchcomplete", "continue"}:
        raise ToolProblem("unavailable", f"wikipedia at {base}: its answer is none of a wiki's; is this a MediaWiki?")


def _found(answer: Any, rules: DomainRules) -> list[Found]:
    pages = sorted(rows(answer, "query", "pages"), key=_rank)
    found = [Found(page.get("fullurl"), page.get("title"), page.get("extract"), _edited(page)) for page in pages]
    return [page for page in found if isinstance(page.url, str) and (not rules or rules.allow(page.url))]


def _rank(page: Mapping[str, Any]) -> float:
    rank = page.get("index")
    return rank if isinstance(rank, int | float) else float("inf")


def _edited(page: Mapping[str, Any]) -> object:
    revisions = rows(page, "revisions")
    return revisions[0].get("timestamp") if revisions else None
