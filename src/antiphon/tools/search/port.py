"""What a provider of searches is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, cast

from antiphon.tools.domains import DomainRules
from antiphon.tools.plain import plain

_LONGEST_PLACE = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where the user is, roughly; empty where nobody said so. `country`: two capital letters."""

    city: str = ""
    region: str = ""
    country: str = ""
    timezone: str = ""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """The `user_location` of a tool's definition."""
        said: Any = settings.get("user_location")
        if not isinstance(said, Mapping):
            return cls()
        fields = cast("Mapping[str, Any]", said)
        city, region, country, timezone = (
            plain(fields.get(key), _LONGEST_PLACE) for key in ("city", "region", "country", "timezone")
        )
        known = len(country) == 2 and country.isascii() and country.isalpha()
        return cls(city, region, country.upper() if known else "", timezone)

    def __str__(self) -> str:
        return ", ".join(part for part in (self.city, self.region, self.country) if part)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to look for. `count`: pages at most. A provider follows `rules`, `place` and `language` as far as it can:
    what it finds is judged by the rules again."""

    text: str
    count: int
    rules: DomainRules = field(default_factory=DomainRules)
    place: Place = field(default_factory=Place)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page that was found, in the provider's words: nobody has checked any of it. `age`: a date, in any form."""

    url: Any
    title: Any
    text: Any
    age: Any = None


class SearchProvider(Protocol):
    """Somebody who searches. `longest_query`: characters of a query that it takes."""

    name: str
    longest_query: int

    async def search(self, query: SearchQuery) -> list[Found]:
        """The pages found, best first, in bounded time and memory; raises `ToolProblem` only, with a code of the
        web search tool and a reason that tells the owner what to do. Cancelled, it leaves nothing running."""
        ...

    async def aclose(self) -> None:
        """Let go of what it holds; may be called more than once."""
        ...
