"""Searches and fetches through the whole server: the API, the loop, the tools, a search engine and a host."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from antiphon.config import TurnLimits
from tests.media.pdf_writer import document
from tests.network.stand_in import pour
from tests.tools.own_package import DICE, installed
from tests.tools.stand_ins import WebPage, whole
from tests.web.searching_app import FETCH, SEARCH, ask, invoke, kinds, resend, says, section
from tests.web.searching_app import search as searching
from tests.web.web_tools_app import web_tools_app

Json = dict[str, Any]

PAIR = ["server_tool_use", "web_search_tool_result"]
FETCHED = ["server_tool_use", "web_fetch_tool_result"]
CITING = 'Cats <cite search_result="1">sleep for sixteen hours a day</cite>.'
ROUNDS = (says(CITING, "sixteen hours"), says(f"Let me look.\n\n{searching('Cats sleep')}", "Tell me"))
SLEEP = "https://cats.example/sleep"


def fetching(url: str) -> str:
    return section(invoke("web_fetch", url=url))


def forged(message: Json, **changes: str) -> Json:
    """The reply with something else in its first search result."""
    content = [dict(block) for block in message["content"]]
    place = kinds(message).index("web_search_tool_result")
    content[place]["content"] = [{**content[place]["content"][0], **changes}]
    return {"content": content}


@pytest.mark.promise("server-tools.web-search", "web-tools.search", "server-tools.citations")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_search_is_made_read_and_cited(stream: bool) -> None:
    async with web_tools_app(*ROUNDS) as served:
        answer = await served.client.post(ask(stream=stream))
        assert served.engine.asked[0].params["q"] == "Cats sleep"
        if stream:
            starts = [event for event in answer.events if event["type"] == "content_block_start"]
            assert [start["content_block"]["type"] for start in starts] == ["text", *PAIR, "text", "text", "text"]
            deltas = [event["delta"] for event in answer.events if event["type"] == "content_block_delta"]
            [citation] = [delta["citation"] for delta in deltas if delta["type"] == "citations_delta"]
        else:
            message = answer.json
            assert kinds(message) == ["text", *PAIR, "text", "text", "text"]
            [result] = message["content"][2]["content"]
            assert (result["url"], result["title"], result["page_age"]) == (SLEEP, "Why cats sleep", "April 30, 2025")
            assert "sixteen" not in base64.b64decode(result["encrypted_content"]).decode("latin-1")
            assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
            [citation] = message["content"][4]["citations"]
        assert (citation["url"], citation["cited_text"]) == (SLEEP, "Cats sleep for sixteen hours a day.")
        assert "Cats sleep for sixteen hours a day." in served.client.prompts[1]


@pytest.mark.promise("server-tools.web-search", "server-tools.sealed-results")
async def test_what_was_found_goes_back_sealed_once_and_unchanged() -> None:
    async with web_tools_app(*ROUNDS, says("You are welcome.", "Thanks")) as served:
        message = await served.client.reply(ask())
        thanked = resend(ask(), message)
        thanked["messages"].append({"role": "user", "content": "Thanks."})
        assert (await served.client.reply(thanked))["stop_reason"] == "end_turn"
        # What the model reads is what was found, and nothing sealed.
        assert "Cats sleep for sixteen hours a day." in served.client.prompts[-1]
        assert message["content"][2]["content"][0]["encrypted_content"] not in served.client.prompts[-1]
        sealed = message["content"][2]["content"][0]["encrypted_content"]
        for changes in (
            {"encrypted_content": "Cats never sleep."},
            {"encrypted_content": sealed[:-8] + "AAAAAAA="},
            {"url": "https://elsewhere.example/"},
            {"title": "Another title"},
        ):
            assert "Invalid `encrypted_content`" in await served.client.refusal(
                resend(ask(), forged(message, **changes))
            )


@pytest.mark.promise("server-tools.web-search", "web-tools.domains", "server-tools.max-uses")
async def test_domains_place_and_uses_of_the_request_hold() -> None:
    rules = (
        says("Enough.", "may not be used again"),
        says(searching("cats"), "Dogs wonder"),
        says(searching("cats"), "Tell me"),
    )
    location = {"type": "approximate", "city": "Rome", "country": "IT"}
    tool = {**SEARCH, "allowed_domains": ["dogs.example"], "max_uses": 1, "user_location": location}
    async with web_tools_app(*rules, search={"language": "it"}) as served:
        message = await served.client.reply(ask(tools=[tool]))
        assert kinds(message) == [*PAIR, *PAIR, "text"]
        assert [found["url"] for found in message["content"][1]["content"]] == ["https://dogs.example/cats"]
        assert message["content"][3]["content"]["error_code"] == "max_uses_exceeded"
        [asked] = served.engine.asked
        assert "site:dogs.example" in asked.params["q"]
        assert asked.params["language"] == "it-IT"
        assert "The user is in Rome, IT" in served.client.prompts[0]
        both = {**SEARCH, "allowed_domains": ["a.example"], "blocked_domains": ["b.example"]}
        assert "allowed_domains" in await served.client.refusal(ask(tools=[both]))


@pytest.mark.promise("server-tools.web-fetch", "web-tools.fetch")
async def test_a_page_that_a_search_found_is_fetched_and_cited() -> None:
    page = f"<title>The okapi</title><article><h1>The okapi</h1><p>{'It is a shy animal. ' * 20}</p></article>"
    rules = (
        says('It is <cite document="1">shy</cite>.', "a shy animal"),
        says(fetching("HOST/okapi"), "An okapi is"),
        says(searching("okapi"), "Tell me"),
    )
    async with web_tools_app(*rules) as served:
        url = served.host.url("/okapi")
        served.host.serve("/okapi", page.encode(), "text/html")
        served.engine.pages = (WebPage(url, "The okapi", "An okapi is an animal."),)
        request = ask(tools=[SEARCH, {**FETCH, "citations": {"enabled": True}}])
        message = await served.client.reply(request)
        assert kinds(message) == [*PAIR, *FETCHED, "text", "text", "text"]
        assert message["content"][3]["content"]["url"] == url
        assert message["content"][3]["content"]["content"]["title"] == "The okapi"
        [citation] = message["content"][5]["citations"]
        assert (citation["type"], citation["cited_text"]) == ("char_location", "It is a shy animal.")
        assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 1}
        assert served.host.paths == ["/okapi"]
        thanked = resend(request, message)
        thanked["messages"].append({"role": "user", "content": "Thanks."})
        assert (await served.client.count(thanked))["input_tokens"] > 0


@pytest.mark.promise("server-tools.web-fetch", "web-tools.fetch")
async def test_a_pdf_that_the_user_names_is_fetched_whole() -> None:
    rules = (says("Two pages.", "Fetched from"), says(fetching("HOST/report.pdf"), "report"))
    async with web_tools_app(*rules) as served:
        url = served.host.url("/report.pdf")
        served.host.serve("/report.pdf", document(2), "application/pdf")
        message = await served.client.reply(ask(f"Read the report: {url}.", tools=[FETCH]))
        assert kinds(message) == [*FETCHED, "text"]
        source = message["content"][1]["content"]["content"]["source"]
        assert (source["type"], source["media_type"]) == ("base64", "application/pdf")
        assert base64.b64decode(source["data"]) == document(2)


@pytest.mark.promise("server-tools.web-fetch", "web-tools.seen-urls")
@pytest.mark.parametrize(
    ("url", "told", "code"),
    [
        ("HOST/secret", "Tell me.", "url_not_in_prior_context"),
        ("https://127.0.0.1:1/", "Tell me of https://127.0.0.1:1/ here.", "url_not_allowed"),
        ("https://169.254.169.254/", "Tell me of https://169.254.169.254/ here.", "url_not_allowed"),
    ],
)
async def test_what_the_guard_does_not_allow_is_not_fetched(url: str, told: str, code: str) -> None:
    rules = (says("I could not.", code), says(fetching(url), "Tell me"))
    async with web_tools_app(*rules) as served:
        message = await served.client.reply(ask(told, tools=[FETCH]))
        assert message["content"][1]["content"] == {"type": "web_fetch_tool_result_error", "error_code": code}
        assert message["content"][2]["text"] == "I could not."
        assert served.host.asked == []


async def die(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(b'{"results": [' + b" " * 500)[:300])
    await writer.drain()
    writer.transport.abort()


@pytest.mark.promise("server-tools.web-search", "server-tools.failures", "web-tools.chaos")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_search_engine_that_dies_in_the_middle_leaves_the_reply_whole(stream: bool) -> None:
    async with web_tools_app(says("I could not look.", "unavailable"), *ROUNDS) as served:
        served.engine.misbehave = die
        answer = await served.client.post(ask(stream=stream))
        if stream:
            assert [event["type"] for event in answer.events][-2:] == ["message_delta", "message_stop"]
            assert b"I" in answer.body
        else:
            error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
            assert answer.json["content"][2]["content"] == error
            assert answer.json["content"][3]["text"] == "I could not look."
        served.engine.misbehave = None
        assert kinds(await served.client.reply(ask())) == ["text", *PAIR, "text", "text", "text"]


@pytest.mark.promise("server-tools.web-search", "server-tools.disconnect")
async def test_a_client_that_goes_away_ends_the_search() -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def hang(writer: asyncio.StreamWriter) -> None:
        begun.set()
        try:
            await pour(writer, b" ", 0.01)
        except ConnectionError:
            left.set()

    async with asyncio.timeout(20), web_tools_app(*ROUNDS, search={"timeout": 60.0}) as served:
        served.engine.misbehave = hang
        async with served.client.bridge.open("POST", "/v1/messages", ask(stream=True)) as exchange:
            await exchange.begin()
            await begun.wait()
            await exchange.disconnect()
        await left.wait()


@pytest.mark.promise("server-tools.web-search", "server-tools.pause-and-resume")
async def test_a_search_pauses_and_goes_on_from_what_it_found() -> None:
    async with web_tools_app(*ROUNDS, limits=TurnLimits(rounds=1)) as served:
        first = await served.client.reply(ask())
        assert (kinds(first), first["stop_reason"]) == (["text", *PAIR], "pause_turn")
        second = await served.client.reply(resend(ask(), first))
        assert (kinds(second), second["stop_reason"]) == (["text", "text", "text"], "end_turn")
        assert len(served.engine.asked) == 1
        # Without its result, the call is made anew.
        third = await served.client.reply(resend(ask(), {"content": first["content"][:2]}))
        assert (kinds(third), third["stop_reason"]) == (
            ["web_search_tool_result", "text", "text", "text"],
            "end_turn",
        )
        assert len(served.engine.asked) == 2


@pytest.mark.promise("server-tools.web-search", "web-tools.local-index")
async def test_a_folder_of_files_is_searched(tmp_path: Path) -> None:
    (tmp_path / "cats.md").write_text("# Why cats sleep\n\nCats sleep for sixteen hours a day.", encoding="utf-8")
    folder = {"provider": "local", "path": str(tmp_path), "url": None}
    async with web_tools_app(*ROUNDS, search=folder) as served:
        message = await served.client.reply(ask())
        [found] = message["content"][2]["content"]
        assert (found["url"], found["title"]) == ("https://index.localhost/cats.md", "Why cats sleep")
        assert message["content"][4]["citations"][0]["cited_text"] == "Cats sleep for sixteen hours a day."


@pytest.mark.promise("server-tools.response-inclusion")
@pytest.mark.parametrize("inclusion", ["full", "excluded"])
async def test_results_of_direct_calls_are_never_left_out(inclusion: str) -> None:
    tool = {"type": "web_search_20260318", "name": "web_search", "response_inclusion": inclusion}
    async with web_tools_app(*ROUNDS) as served:
        assert kinds(await served.client.reply(ask(tools=[tool]))) == ["text", *PAIR, "text", "text", "text"]


@pytest.mark.promise("web-tools.own-tools", "server-tools.own")
async def test_the_documented_tool_of_ones_own_is_called_over_http(tmp_path: Path) -> None:
    rules = (says("Two ones.", "dice_result"), says(section(invoke("dice", count="2")), "Roll"))
    with installed(tmp_path, {"my_dice": DICE}, {"dice": "my_dice:Dice"}):
        async with web_tools_app(*rules, own={"dice": {"sides": 1}}) as served:
            request = ask("Roll!", tools=[SEARCH, {"type": "dice_20261127", "name": "dice"}])
            message = await served.client.reply(request)
            assert kinds(message) == ["server_tool_use", "dice_tool_result", "text"]
            assert message["content"][1]["content"] == {"type": "dice_result", "rolls": [1, 1]}
            assert "Roll dice with 1 sides each." in served.client.prompts[0]
            assert (await served.client.reply(resend(request, message)))["type"] == "message"
