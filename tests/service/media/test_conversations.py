"""What a request's files hold reaches the model's conversation, and a count reads the same files."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson
import pytest

from antiphon.compose.services import services_for
from antiphon.config import Settings
from antiphon.dialogue.content import Document, Text
from antiphon.dialogue.conversation import Conversation, Part
from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment
from antiphon.engines.scripted import ScriptedEngine
from antiphon.errors import InvalidRequest
from antiphon.ports.engine import ModelCard
from antiphon.ports.media import Description, Line, MediaProblem, Pdf, PdfLimit, PdfPage
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.request.told.pictures import described
from antiphon.seals import Seals
from antiphon.service.messages import MessageService
from antiphon.service.models import ModelService
from antiphon.service.served import ModelRoutes, ServedModel
from antiphon.testing import CountingEntropy, FixedClock
from antiphon.wire.base import WireContext
from tests.profiles.builtin import builtin_catalogue
from tests.request.requests import Json, assistant, call, result, text, user
from tests.service.media.doubles import StandInFetcher, StandInReader, intake

URL = "https://example.com/a"

CONTEXT = WireContext()

IMAGE: Json = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}

IMAGE_AT: Json = {"type": "image", "source": {"type": "url", "url": URL}}

PDF: Json = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}}

SENT = Image(b"\0\0\0", 10, 10)

FETCHED = Image(b"fetched", 10, 10)

DESCRIBED = Description(30, 20, "drawing", (("red", 90),), (Line("STOP", 3, 4),))

PAGES = Pdf((PdfPage("One"), PdfPage("Two")))


class Prompts(PromptBuilder):
    """Keeps the conversations that it was to render."""

    def __init__(self, card: ModelCard) -> None:
        super().__init__(card)
        self.seen: list[Conversation] = []

    def build(self, conversation: Conversation, *, today: date) -> tuple[Segment, ...]:
        self.seen.append(conversation)
        return (Segment("Hello"),)


class Engine(ScriptedEngine):
    """A scripted model that sees, or does not."""

    def __init__(self, *, sees: bool) -> None:
        super().__init__("scripted", '[[reply]]\ntext = "Yes."\n')
        self._sees = sees

    @property
    def card(self) -> ModelCard:
        return replace(super().card, sees=self._sees)


@dataclass
class Server:
    """The services over one model."""

    prompts: Prompts
    messages: MessageService
    models: ModelService
    reader: StandInReader
    fetcher: StandInFetcher = field(default_factory=lambda: StandInFetcher({URL: b"fetched"}))

    async def told(self, *messages: Json) -> tuple[Part, ...]:
        """What the model is told last in a reply to these messages, which a count is told too."""
        request: dict[str, Any] = {"model": "claude-opus-4-8", "messages": list(messages)}
        await self.messages.prepare(orjson.dumps({**request, "max_tokens": 10}), CONTEXT)
        await self.messages.count(orjson.dumps(request), CONTEXT)
        created, counted = self.prompts.seen[-2:]
        assert created.turns == counted.turns
        return created.turns[-1].parts

    async def refusal(self, *messages: Json) -> str:
        """The message with which a reply is refused, and a count too."""
        request: dict[str, Any] = {"model": "claude-opus-4-8", "messages": list(messages)}
        with pytest.raises(InvalidRequest) as reply:
            await self.messages.prepare(orjson.dumps({**request, "max_tokens": 10}), CONTEXT)
        with pytest.raises(InvalidRequest) as count:
            await self.messages.count(orjson.dumps(request), CONTEXT)
        assert reply.value.body("") == count.value.body("")
        return reply.value.message


@asynccontextmanager
async def serving(
    *, sees: bool = True, reads: bool = False, holds: dict[bytes, Any] | None = None
) -> AsyncGenerator[Server]:
    """The services over a model that sees, is read pictures, or neither; `holds`: as the reader's, beside a PDF."""
    engine = Engine(sees=sees)
    await engine.start()
    served = ServedModel.of(engine, reads=reads)
    prompts = Prompts(engine.card)
    routes = ModelRoutes(builtin_catalogue(), {"scripted": replace(served, prompts=prompts)}, "scripted", {})
    reader, fetcher = StandInReader({b"\x04\x10\x41": PAGES, **(holds or {})}), StandInFetcher({URL: b"fetched"})
    way_in = intake(reader, fetcher)
    services = services_for(Settings(), routes, FixedClock(), CountingEntropy(), Seals([bytes(32)]), way_in)
    yield Server(prompts, services.messages, services.models, reader, fetcher)
    await engine.aclose()


@pytest.mark.promise("vision.sources")
async def test_images_of_both_sources_reach_the_model_in_their_places() -> None:
    async with serving() as server:
        assert await server.told(user([IMAGE, text("and"), IMAGE_AT, text("?")])) == (
            SENT,
            Text("and"),
            FETCHED,
            Text("?"),
        )
        assert (len(server.reader.asked), len(server.fetcher.asked)) == (2, 1)


@pytest.mark.promise("tool-results.blocks")
async def test_images_and_documents_in_results_reach_the_model() -> None:
    tool: Json = {"type": "tool_result", "tool_use_id": "toolu_1"}
    async with serving() as server:
        (found,) = await server.told(
            user(), assistant([call("toolu_1")]), user([{**tool, "content": [text("a"), IMAGE, PDF]}])
        )
    assert getattr(found, "parts", None) == (
        Text("a"),
        SENT,
        Document("pdf", ((Text("One"),), (Text("Two"),))),
    )


@pytest.mark.promise("further.pdf")
@pytest.mark.parametrize("sees", [True, False])
async def test_a_pdf_reaches_every_model_and_is_drawn_for_those_that_see(sees: bool) -> None:
    async with serving(sees=sees) as server:
        assert await server.told(user([PDF])) == (Document("pdf", ((Text("One"),), (Text("Two"),))),)
        ((_, _, limit),) = server.reader.asked
    assert isinstance(limit, PdfLimit)
    assert limit.pictures is sees


@pytest.mark.promise("vision.refusals")
async def test_a_model_that_cannot_see_refuses_an_image_before_anything_is_fetched() -> None:
    async with serving(sees=False) as server:
        for messages, place in [
            ([user([text("a"), IMAGE_AT])], "messages.0.content.1"),
            (
                [user(), assistant([call("toolu_1")]), user([result("toolu_1", [IMAGE])])],
                "messages.2.content.0.tool_result.content.0",
            ),
        ]:
            assert (await server.refusal(*messages)).startswith(f"{place}: this model does not support image input.")
        assert (server.reader.asked, server.fetcher.asked) == ([], [])


@pytest.mark.promise("vision.described", "counting.equals-usage", "vision.cached")
async def test_a_model_that_does_not_see_is_told_of_pictures_wherever_they_stand_and_counts_the_same() -> None:
    told = Text(described(DESCRIBED))
    blocks: Json = {"type": "document", "source": {"type": "content", "content": [text("a"), IMAGE]}}
    async with serving(sees=False, reads=True, holds={b"\0\0\0": DESCRIBED}) as server:
        assert await server.told(user([text("Look:"), IMAGE, blocks])) == (
            Text("Look:"),
            told,
            Document("blocks", ((Text("a"),), (told,))),
        )
        (found,) = await server.told(user(), assistant([call("toolu_1")]), user([result("toolu_1", [IMAGE])]))
        assert getattr(found, "text", None) == told.text
        assert len(server.reader.asked) == 1
        assert server.models.get("claude-opus-4-8").capabilities.image_input.supported


@pytest.mark.promise("vision.described")
async def test_a_model_that_sees_is_shown_pictures_and_not_told_of_them() -> None:
    async with serving(sees=True, reads=True) as server:
        assert await server.told(user([IMAGE])) == (SENT,)


@pytest.mark.promise("vision.refusals")
async def test_nothing_is_read_of_a_request_that_is_wrong_otherwise() -> None:
    async with serving() as server:
        assert "unexpected `tool_use_id`" in await server.refusal(
            user([{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}, IMAGE])
        )
        assert server.reader.asked == []


@pytest.mark.promise("vision.refusals")
async def test_a_file_that_cannot_be_read_is_refused_in_counts_too() -> None:
    async with serving(holds={b"\0\0\0": MediaProblem("image", "unreadable")}) as server:
        assert await server.refusal(user([IMAGE])) == "Could not process image"


@pytest.mark.promise("models.describe")
@pytest.mark.parametrize("sees", [True, False])
async def test_the_model_list_says_who_sees(sees: bool) -> None:
    async with serving(sees=sees) as server:
        told = server.models.get("claude-opus-4-8").capabilities
    assert (told.image_input.supported, told.pdf_input.supported) == (sees, True)
