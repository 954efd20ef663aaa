"""A provider that is made when it is first asked."""

import pytest

from antiphon.config import WebSearchSettings
from antiphon.tools.offered import provider_for
from antiphon.tools.search.lazily import Lazily
from antiphon.tools.search.port import Found, SearchQuery
from antiphon.tools.search.wikipedia import Wikipedia


class Counted:
    """Counts what is made of it."""

    name = "counted"
    longest_query = 10
    made = 0
    closed = 0

    def __init__(self) -> None:
        Counted.made += 1

    async def search(self, query: SearchQuery) -> list[Found]:
        return [Found("https://a.example/", query.text, "found")]

    async def aclose(self) -> None:
        Counted.closed += 1


@pytest.fixture(autouse=True)
def fresh() -> None:
    Counted.made = Counted.closed = 0


async def test_it_is_made_once_and_answers() -> None:
    lazily = Lazily("counted", 10, "json", Counted)
    assert Counted.made == 0
    found = [await lazily.search(SearchQuery(text, 1)) for text in ("a", "b")]
    await lazily.aclose()
    assert [[page.title for page in pages] for pages in found] == [["a"], ["b"]]
    assert (Counted.made, Counted.closed) == (1, 1)


async def test_what_was_never_asked_is_never_made() -> None:
    await Lazily("counted", 10, "json", Counted).aclose()
    assert (Counted.made, Counted.closed) == (0, 0)


def test_the_default_says_of_itself_what_the_provider_does() -> None:
    provider = provider_for(WebSearchSettings(provider="wikipedia"))
    assert (provider.name, provider.longest_query) == (Wikipedia.name, Wikipedia.longest_query)
