"""Images in requests over HTTP: errors with their details, and clients that do not wait for a file."""

import asyncio

import pytest

from antiphon.ports.media import MediaProblem
from antiphon.testing.bridge import Bridge
from tests.service.media.doubles import StandInFetcher, StandInReader, intake
from tests.web.conftest import Starter

URL = "https://example.com/a.png"
SENT = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
FETCHED = {"type": "image", "source": {"type": "url", "url": URL}}


def asking(*content: object) -> dict[str, object]:
    return {"model": "claude-opus-4-8", "messages": [{"role": "user", "content": list(content)}]}


@pytest.mark.promise("vision.dimension-details")
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
async def test_an_image_that_is_too_large_is_an_error_with_details(start: Starter, path: str) -> None:
    reader = StandInReader({b"\0\0\0": MediaProblem("image", "too_large", 9000, 20, 8000)})
    bridge = await start(media=intake(reader))
    more = {"max_tokens": 10} if path == "/v1/messages" else {}
    answer = await bridge.ask("POST", path, {**asking({"type": "text", "text": "?"}, SENT), **more})
    assert answer.status == 400
    assert answer.json["error"] == {
        "type": "invalid_request_error",
        "message": "messages.0.content.1.image.source.base64.data: At least one of the image dimensions exceed max "
        "allowed size: 8000 pixels",
        "details": {
            "error_code": "image_dimensions_too_large",
            "max_side_length_pixels": 8000,
            "paths": ["messages.0.content.1"],
        },
    }


@pytest.mark.promise("media.nothing-left-running")
@pytest.mark.parametrize("more", [{"max_tokens": 10, "stream": True}, {"max_tokens": 10}, {}])
async def test_a_client_that_goes_away_ends_the_reading_of_its_files(start: Starter, more: dict[str, object]) -> None:
    reader, fetcher = StandInReader(gate=asyncio.Event()), StandInFetcher(gate=asyncio.Event())
    bridge: Bridge = await start(media=intake(reader, fetcher))
    path = "/v1/messages" if more else "/v1/messages/count_tokens"
    async with bridge.open("POST", path, {**asking(SENT, FETCHED), **more}) as exchange:
        await reader.until_asked(1)
        await fetcher.until_asked(1)
        await exchange.disconnect()
        assert (reader.left, fetcher.left) == (1, 1)
        assert not exchange.answered
        assert exchange.task.exception() is None


async def test_the_server_answers_others_while_a_file_comes(start: Starter) -> None:
    fetcher = StandInFetcher(gate=asyncio.Event())
    bridge = await start(media=intake(fetcher=fetcher))
    async with bridge.open("POST", "/v1/messages", {**asking(FETCHED), "max_tokens": 10}):
        await fetcher.until_asked(1)
        assert (await bridge.post({**asking({"type": "text", "text": "hello"}), "max_tokens": 10})).status == 200
