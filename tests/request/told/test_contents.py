"""Images, documents and search results as the model is told of them."""

import orjson
import pytest

from antiphon.dialogue.content import Content, Document, SearchResult, Text
from antiphon.dialogue.conversation import Part, Turn
from antiphon.dialogue.media import Image
from antiphon.dialogue.tools import Result
from antiphon.ports.media import Pdf, PdfPage
from antiphon.request.intake import parse_create
from antiphon.request.media.wanted import Media
from tests.request.media_requests import HIT, answered, blocks, document, image, pdf, url_source
from tests.request.requests import Json, assistant, body, context, text, told_of, user

PICTURE = Image(b"picture", 20, 10)

OTHER = Image(b"other", 5, 5)


def parts(*messages: Json, media: Media | None = None) -> tuple[Part, ...]:
    """What the last turn is lowered to."""
    request = parse_create(orjson.dumps(body(*messages)), context())
    return told_of(request, context(), media=media or {}).turns[-1].parts


@pytest.mark.promise("vision.sources")
def test_images_keep_their_places_among_the_texts() -> None:
    media = {"messages.0.content.0": PICTURE, "messages.0.content.2": OTHER}
    message = user([image(), text("and"), image(url_source()), text("?")])
    assert parts(message, media=media) == (PICTURE, Text("and"), OTHER, Text("?"))


@pytest.mark.promise("tool-results.blocks")
def test_a_result_keeps_the_order_of_texts_images_and_documents() -> None:
    inside = "messages.2.content.0.tool_result.content"
    media: Media = {
        f"{inside}.1": PICTURE,
        f"{inside}.2.document.source.content.content.1": OTHER,
        f"{inside}.3": Pdf((PdfPage("One", PICTURE),)),
    }
    content = [text("a"), image(), blocks(text("b"), image()), pdf(), text("c")]
    found: tuple[Content, ...] = (
        Text("a"),
        PICTURE,
        Document("blocks", ((Text("b"),), (OTHER,))),
        Document("pdf", ((PICTURE, Text("One")),)),
        Text("c"),
    )
    assert parts(*answered(*content), media=media) == (Result("toolu_1", "get_time", "", parts=found),)


@pytest.mark.promise("tool-results.blocks")
def test_a_result_keeps_its_search_results() -> None:
    found = SearchResult("https://a", "A", (Text("x"), Text("y")))
    assert parts(*answered(HIT, HIT)) == (Result("toolu_1", "get_time", "", parts=(found, found)),)


def test_a_result_of_texts_is_one_text() -> None:
    assert parts(*answered(text("a"), text("b"))) == (Result("toolu_1", "get_time", "a\nb"),)


@pytest.mark.promise("further.pdf")
@pytest.mark.parametrize(
    ("block", "lowered"),
    [
        (document(), Document("text", ((Text("Words"),),))),
        (document(title="T", context="C"), Document("text", ((Text("Words"),),), "T", "C")),
        (document({"type": "content", "content": "Words"}), Document("blocks", ((Text("Words"),),))),
        (blocks(text("a"), text("b")), Document("blocks", ((Text("a"),), (Text("b"),)))),
        (
            pdf(),
            Document("pdf", ((PICTURE, Text("One")), (), (Text("Three"),)), "Its own"),
        ),
        (
            pdf(url_source(), title="Given", context="C"),
            Document("pdf", ((PICTURE, Text("One")), (), (Text("Three"),)), "Given", "C"),
        ),
    ],
    ids=["text", "title", "one text", "blocks", "pdf", "titled pdf"],
)
def test_a_document_keeps_its_sections_title_and_context(block: Json, lowered: Document) -> None:
    read = Pdf((PdfPage("One", PICTURE), PdfPage(""), PdfPage("Three")), "Its own")
    assert parts(user([text("a"), block]), media={"messages.0.content.1": read}) == (Text("a"), lowered)


@pytest.mark.promise("further.pdf")
def test_a_document_of_the_assistant_stays_in_its_turn() -> None:
    request = parse_create(orjson.dumps(body(user("a"), assistant([document(), text("b")]), user("c"))), context())
    turns = told_of(request, context()).turns
    assert turns[1] == Turn("assistant", (Document("text", ((Text("Words"),),)), Text("b")))


def test_a_search_result_of_the_user_keeps_its_source() -> None:
    assert parts(user([HIT, text("?")])) == (SearchResult("https://a", "A", (Text("x"), Text("y"))), Text("?"))


def test_a_pdf_that_nobody_has_read_is_found_here_at_the_latest() -> None:
    with pytest.raises(AssertionError, match=r"messages\.0\.content\.0: a document has not been read"):
        parts(user([pdf()]), media={"messages.0.content.0": PICTURE})
