"""The tool `web_search`, over a provider that finds what a test says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import jsonschema
import orjson
import pytest
from pydantic import TypeAdapter

from antiphon.ports.server_tools import ServerCall, ToolProblem
from antiphon.tools.search.page_age import page_age
from antiphon.tools.search.port import Found, Place, SearchQuery
from antiphon.tools.web_search import WebSearch
from antiphon.wire.content.results import WebSearchError, WebSearchToolResultBlock
from tests.tools.providers import EVERY, standing

CODES = get_args(WebSearchError.model_fields["error_code"].annotation)


@dataclass
class Finding:
    """A provider that finds `pages`, and remembers what it was asked."""

    pages: list[Found]
    name: str = "finding"
    longest_query: int = 100
    asked: list[SearchQuery] = field(default_factory=list[SearchQuery])

    async def search(self, query: SearchQuery) -> list[Found]:
        """What the test says."""
        self.asked.append(query)
        return self.pages

    async def aclose(self) -> None:
        """Nothing to close."""


def page(n: int, **said: Any) -> Found:
    return Found(**{"url": f"https://a{n}.example/", "title": f"Page {n}", "text": f"Text {n}.", **said})


def tool(*pages: Found, results: int = 5, characters: int = 100) -> tuple[WebSearch, Finding]:
    provider = Finding(list(pages))
    return WebSearch(provider, results=results, characters=characters), provider


def call(query: object = "cats", **settings: Any) -> ServerCall:
    return ServerCall("srvtoolu_1", "web_search", {"query": query}, settings)


@pytest.mark.promise("web-tools.search")
@pytest.mark.parametrize("name", EVERY)
async def test_every_provider_gives_results_that_are_the_apis_own(name: str):
    async with standing(name) as ready:
        made = WebSearch(ready.provider, results=2, characters=100)
        found = await made.run(call("sixteen hours"))
    block = {"type": made.result_type, "tool_use_id": "srvtoolu_1", "content": found.content}
    parsed = TypeAdapter(WebSearchToolResultBlock).validate_json(orjson.dumps(block))
    assert isinstance(parsed.content, list | tuple)
    assert found.content == [
        {
            "type": "web_search_result",
            "url": "https://cats.example/sleep",
            "title": "Why cats sleep",
            "encrypted_content": "Cats sleep for sixteen hours a day.",
            "page_age": "April 30, 2025",
        }
    ]
    assert found.counts == {"web_search_requests": 1}


@pytest.mark.promise("web-tools.search")
async def test_a_result_is_plain_text_of_bounded_size():
    title = '<b>A &amp; B</b>\x00 of <span class="x">vector<int></span>'
    made, _ = tool(page(1, title=title, text="x" * 5000), page(2, title="", text=""))
    first, second = (await made.run(call())).content
    assert first["title"] == "A & B of vector<int>"
    assert first["encrypted_content"] == f"{'x' * 98} …"
    assert (second["title"], second["encrypted_content"]) == ("https://a2.example/", "https://a2.example/")
    assert second["page_age"] is None


@pytest.mark.promise("web-tools.domains")
async def test_what_the_rules_do_not_allow_is_left_out_whatever_the_provider_found():
    made, provider = tool(*(page(n) for n in range(9)), page(3, url="https://sub.a3.example/x"), results=2)
    found = await made.run(call(allowed_domains=["a3.example", "a7.example"]))
    assert [row["url"] for row in found.content] == ["https://a3.example/", "https://a7.example/"]
    assert provider.asked[0].count == 20
    blocked = await made.run(call(blocked_domains=["a0.example"]))
    assert [row["url"] for row in blocked.content] == ["https://a1.example/", "https://a2.example/"]


async def test_a_page_is_shown_once_and_no_more_than_asked_for():
    made, _ = tool(page(1), page(1, url="HTTPS://A1.example:443"), *(page(n) for n in range(2, 9)), results=3)
    assert [row["title"] for row in (await made.run(call())).content] == ["Page 1", "Page 2", "Page 3"]


@pytest.mark.promise("web-tools.search-errors")
@pytest.mark.parametrize(
    ("input_", "settings", "code"),
    [
        ({}, {}, "invalid_tool_input"),
        ({"query": None}, {}, "invalid_tool_input"),
        ({"query": 7}, {}, "invalid_tool_input"),
        ({"query": ""}, {}, "invalid_tool_input"),
        ({"query": " \n\x00 "}, {}, "invalid_tool_input"),
        ({"query": "cats"}, {"allowed_domains": ["https://example.com"]}, "invalid_tool_input"),
        ({"query": "x" * 101}, {}, "query_too_long"),
    ],
)
async def test_a_call_that_cannot_be_made_asks_nobody(
    input_: Mapping[str, Any], settings: Mapping[str, Any], code: str
):
    made, provider = tool(page(1))
    with pytest.raises(ToolProblem) as caught:
        await made.run(ServerCall("srvtoolu_1", "web_search", input_, settings))
    assert caught.value.code == code
    assert code in CODES
    assert provider.asked == []


async def test_a_query_is_one_line_and_the_place_goes_with_it():
    made, provider = tool()
    location = {"type": "approximate", "city": "Köln", "country": "de", "timezone": "Europe/Berlin"}
    assert (await made.run(call("  two\nlines\t here ", user_location=location))).content == []
    assert provider.asked == [SearchQuery("two lines here", 5, place=Place("Köln", "", "DE", "Europe/Berlin"))]


@pytest.mark.promise("web-tools.told")
def test_the_model_is_told_a_tool_with_a_schema_where_the_user_is_and_what_is_searched():
    made, _ = tool()
    told = made.told(
        {"user_location": {"type": "approximate", "city": "Rome", "country": "IT"}, "allowed_domains": ["a.it"]}
    )
    jsonschema.Draft202012Validator.check_schema(told.schema)
    jsonschema.validate({"query": "x" * 100}, told.schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"query": "x" * 101}, told.schema)
    assert told.name == "web_search"
    assert "Rome, IT" in told.description
    assert "a.it" in told.description
    assert "Rome" not in made.told({}).description


@pytest.mark.parametrize(
    ("said", "age"),
    [
        ("2025-04-30T00:00:00", "April 30, 2025"),
        ("2025-04-30", "April 30, 2025"),
        ("2024-02-29T12:00:00Z", "February 29, 2024"),
        ("Wed, 30 Apr 2025 10:00:00 GMT", "April 30, 2025"),
        ("3 days ago", "3 days ago"),
        ("April 30, 2025", "April 30, 2025"),
        ("", None),
        (None, None),
        (7, None),
        ("x" * 500, "x" * 58 + " …"),
    ],
)
def test_a_date_is_written_as_the_api_writes_it(said: object, age: str | None):
    assert page_age(said) == age
