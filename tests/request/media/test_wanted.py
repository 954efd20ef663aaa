"""Images, documents and search results in a request: what is judged unread, what is to be read, what becomes of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest

from antiphon.dialogue.content import Text
from antiphon.dialogue.media import HIGH, STANDARD, Image
from antiphon.ports.fetch import FetchFault, NotAllowed, NotHttps, RobotsDisallow, TooLarge, Unreachable
from antiphon.ports.media import ImageLimit, MediaProblem, Pdf, PdfLimit, PdfPage
from antiphon.request.case import Case, Issue
from antiphon.request.intake import parse_create
from antiphon.request.ladder import check
from antiphon.request.media.wanted import (
    LargeFile,
    NotBase64,
    Outcome,
    Wanted,
    WrongFile,
    bytes_shown,
    refusal,
    uploaded,
    wanted,
    without_pictures,
)
from antiphon.request.media.wording import dimensions_details
from antiphon.wire.content.inline import FileImage
from antiphon.wire.content.sources import FileDocument
from tests.profiles.builtin import profile
from tests.request.media_requests import (
    HIT,
    answered,
    base64_source,
    blocks,
    document,
    image,
    pdf,
    uploaded_source,
    url_source,
)
from tests.request.requests import Json, assistant, body, call, context, local, result, text, user, verdict

MB = 1024 * 1024

PICTURE = Image(b"picture", 20, 10)

OTHER = Image(b"other", 5, 5)


def case_of(*messages: Json, model: str | None = None, sees: bool = True) -> Case:
    request = parse_create(orjson.dumps(body(*messages)), context())
    return Case(request, local() if model is None else profile(model), context(), sees)


def wants(*messages: Json, model: str | None = None, sees: bool = True) -> tuple[Wanted, ...]:
    return wanted(case_of(*messages, model=model, sees=sees))


@pytest.mark.promise("files.used-by-id")
def test_uploaded_files_are_wanted_wherever_they_stand() -> None:
    messages = [user([image(uploaded_source("a")), document(uploaded_source("b"))])]
    messages += answered(blocks(image(uploaded_source("c"))), document(uploaded_source("a")))[1:]
    found = wants(*messages)
    assert [file.source for file in found] == [
        FileImage(type="file", file_id="a"),
        FileDocument(type="file", file_id="b"),
        FileImage(type="file", file_id="c"),
        FileDocument(type="file", file_id="a"),
    ]
    assert list(uploaded(found)) == ["a", "b", "c", "a"]


@pytest.mark.promise("files.judged-by-bytes", "files.bounded")
def test_an_uploaded_file_that_its_block_does_not_take_is_refused_in_its_turn() -> None:
    (file, large) = wants(user([document(uploaded_source("b")), image(uploaded_source("c"))]))
    assert refusal([(file, WrongFile("No.")), (large, LargeFile(11 * MB))]) == Issue("No.")
    assert refusal([(file, Text("a")), (large, LargeFile(11 * MB))]) == Issue(
        "messages.0.content.1.image.source.file: image exceeds 10 MB maximum: 11534336 bytes > 10485760 bytes"
    )
    assert refusal([(file, Text("a")), (large, PICTURE)]) is None
    assert (bytes_shown(Text("abc")), without_pictures(Text("abc"))) == (3, Text(""))


# What is judged unread.
@pytest.mark.promise("vision.refusals")
@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([user([text("a"), image()])], "messages.0.content.1"),
        ([user("a"), assistant(), user([image(url_source())])], "messages.2.content.0"),
        (answered(text("a"), image()), "messages.2.content.0.tool_result.content.1"),
        ([user([blocks(text("a"), image())])], "messages.0.content.0.document.source.content.content.1"),
        (
            answered(blocks(image())),
            "messages.2.content.0.tool_result.content.0.document.source.content.content.0",
        ),
    ],
)
def test_a_model_that_cannot_see_is_not_shown_an_image(messages: list[Json], place: str) -> None:
    request = parse_create(orjson.dumps(body(*messages)), context())
    found = check(Case(request, local(), context(), False))
    assert found is not None
    assert found.message.startswith(f"{place}: this model does not support image input.")
    assert check(Case(request, local(), context(), True)) is None


@pytest.mark.promise("further.pdf")
def test_a_model_that_cannot_see_still_reads_documents() -> None:
    request = parse_create(orjson.dumps(body(user([document(), pdf(), pdf(url_source()), HIT]))), context())
    assert check(Case(request, local(), context(), False)) is None


PLACES: dict[str, Callable[[Json], list[Json]]] = {
    "messages.0.content.1": lambda block: [user([text("a"), block])],
    "messages.2.content.0.tool_result.content.0": lambda block: answered(block),
    "messages.0.content.0.document.source.content.content.0": lambda block: [user([blocks(block)])],
}


@pytest.mark.promise("vision.refusals")
@pytest.mark.parametrize("place", PLACES)
def test_an_image_is_at_most_ten_megabytes_of_base64(place: str) -> None:
    put = PLACES[place]
    assert verdict(body(*put(image(base64_source("A" * 10 * MB))))) is None
    assert verdict(body(*put(image(base64_source("A" * (10 * MB + 4)))))) == (
        f"{place}.image.source.base64.data: image exceeds 10 MB maximum: 10485764 bytes > 10485760 bytes"
    )


@pytest.mark.parametrize(
    "content",
    [answered({**HIT, "content": [text("")]}), answered(blocks(text(""))), [user([blocks(text("a"), text(""))])]],
)
def test_an_empty_text_is_found_however_deep_it_lies(content: list[Json]) -> None:
    assert verdict(body(*content)) == "messages: text content blocks must be non-empty"


def test_images_in_documents_count_too() -> None:
    many = body(user([blocks(*[image(url_source())] * 60), *[image(url_source())] * 41]))
    assert verdict({**many, "model": "claude-sonnet-4-5"}) == (
        "messages: a maximum of 100 images may be provided. Found 101."
    )


# What is to be read.
@pytest.mark.promise("vision.sources")
def test_the_files_of_a_request_are_found_in_its_order_with_their_paths() -> None:
    messages = [
        user([text("a"), image(), pdf(url_source())]),
        assistant([call("toolu_1")]),
        user([result("toolu_1", [text("b"), image(url_source()), pdf(), blocks(image()), document()]), image()]),
    ]
    assert [(file.path, file.source.type) for file in wants(*messages)] == [
        ("messages.0.content.1", "base64"),
        ("messages.0.content.2", "url"),
        ("messages.2.content.0.tool_result.content.1", "url"),
        ("messages.2.content.0.tool_result.content.2", "base64"),
        ("messages.2.content.0.tool_result.content.3.document.source.content.content.0", "base64"),
        ("messages.2.content.1", "base64"),
    ]
    assert wants(user([text("a"), document(), HIT]), assistant(), user()) == ()


@pytest.mark.promise("media.image-size")
@pytest.mark.parametrize(("count", "side"), [(20, 8000), (21, 2000)])
def test_all_images_of_a_request_count_when_there_are_many(count: int, side: int) -> None:
    results = answered(*[image()] * (count - 2), blocks(image()))
    files = wants(user([image()]), assistant(), *results)
    assert len(files) == count
    assert {file.limit.side for file in files if isinstance(file.limit, ImageLimit)} == {side}


@pytest.mark.parametrize(("model", "tier"), [("claude-sonnet-4-5", STANDARD), ("claude-opus-4-8", HIGH)])
def test_the_model_s_tier_says_how_large_it_sees(model: str, tier: object) -> None:
    an_image, a_pdf = wants(user([image(), pdf()]), model=model)
    assert (an_image.limit.tier, a_pdf.limit.tier) == (tier, tier)


@pytest.mark.parametrize(
    ("more", "downsize"),
    [
        ({}, True),
        ({"transformations": None}, True),
        ({"transformations": {}}, True),
        ({"transformations": {"oversized_image": "downsize"}}, True),
        ({"transformations": {"oversized_image": "error"}}, False),
    ],
)
def test_an_image_is_scaled_down_unless_the_client_wants_an_error(more: Json, downsize: bool) -> None:
    (file,) = wants(user([image(**more)]))
    assert isinstance(file.limit, ImageLimit)
    assert file.limit.downsize is downsize


def test_a_file_at_a_url_may_itself_be_as_large_as_base64_may_be() -> None:
    sent, fetched = wants(user([image(), image(url_source())]))
    assert isinstance(sent.limit, ImageLimit)
    assert isinstance(fetched.limit, ImageLimit)
    assert sent.limit.weight == 10 * MB
    assert 4 * (10 * MB // 3) <= fetched.limit.weight <= 4 * (10 * MB // 3 + 1)


@pytest.mark.promise("further.pdf")
@pytest.mark.parametrize(("model", "pages"), [("claude-sonnet-4-5", 100), ("claude-opus-4-8", 600)])
@pytest.mark.parametrize("sees", [True, False])
def test_the_pages_of_a_pdf_are_drawn_for_a_model_that_sees(model: str, pages: int, sees: bool) -> None:
    (file,) = wants(user([pdf()]), model=model, sees=sees)
    assert isinstance(file.limit, PdfLimit)
    assert (file.limit.pages, file.limit.pictures) == (pages, sees)


# What is wrong with what was read.
NO_PAGE_WITH_TEXT = Pdf((PdfPage(""), PdfPage(" \n")))


def pages(count: int) -> Pdf:
    return Pdf(tuple(PdfPage(f"Page {n}") for n in range(1, count + 1)))


def told(messages: Sequence[Json], *outcomes: Outcome, sees: bool = True) -> str | None:
    files = wants(*messages, model="claude-sonnet-4-5", sees=sees)
    issue = refusal(list(zip(files, outcomes, strict=True)))
    return None if issue is None else issue.message


AT = "messages.0.content.0"

INSIDE = "messages.2.content.0.tool_result.content.0"

ONE_IMAGE = [user([image()])]

ONE_URL = [user([image(url_source())])]

ONE_PDF = [user([pdf()])]

URL_PDF = [user([pdf(url_source())])]

IN_A_RESULT = answered(image())

WRONG: list[tuple[Sequence[Json], Outcome, str]] = [
    (ONE_IMAGE, NotBase64(), f"{AT}.image.source.base64: invalid base64 data"),
    (ONE_PDF, NotBase64(), f"{AT}.pdf.source.base64: invalid base64 data"),
    (IN_A_RESULT, NotBase64(), f"{INSIDE}.image.source.base64: invalid base64 data"),
    (ONE_IMAGE, MediaProblem("image", "unreadable"), "Could not process image"),
    (
        IN_A_RESULT,
        MediaProblem("image", "too_large", 8001, 1, 8000),
        f"{INSIDE}.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels",
    ),
    (
        ONE_URL,
        MediaProblem("image", "too_large", 8001, 1, 8000),
        f"{AT}.image.source.url: At least one of the image dimensions exceed max allowed size: 8000 pixels",
    ),
    (
        ONE_IMAGE,
        MediaProblem("image", "wrong_type", "image/png", "image/jpeg"),
        f"{AT}.image.source.base64: The image was specified using the image/png media type, but the image appears to "
        "be a image/jpeg image",
    ),
    (ONE_PDF, MediaProblem("pdf", "broken"), f"{AT}.pdf.source.base64.data: The PDF specified was not valid."),
    (URL_PDF, MediaProblem("pdf", "broken"), f"{AT}.pdf.source.url: The PDF specified was not valid."),
    (
        ONE_PDF,
        MediaProblem("pdf", "locked"),
        f"{AT}.pdf.source.base64.data: The PDF specified is password protected.",
    ),
    (ONE_PDF, MediaProblem("pdf", "empty"), "PDF cannot be empty"),
    (ONE_PDF, pages(101), f"{AT}.pdf.source.base64.data: A maximum of 100 PDF pages may be provided."),
    (ONE_URL, Unreachable("10.0.0.1"), "Unable to download the file. Please verify the URL and try again."),
    (URL_PDF, NotAllowed("10.0.0.1"), "Unable to download the file. Please verify the URL and try again."),
    (ONE_URL, NotHttps("http"), "Only HTTPS URLs are supported."),
    (ONE_URL, RobotsDisallow("no"), "This URL is disallowed by the website's robots.txt file."),
    (ONE_URL, TooLarge("more"), f"{AT}.image.source.url: image exceeds 10 MB maximum"),
    (URL_PDF, TooLarge("more"), f"{AT}.pdf.source.url: PDF exceeds 32 MB maximum"),
]


@pytest.mark.promise("vision.refusals")
@pytest.mark.parametrize(
    ("messages", "outcome", "message"), WRONG, ids=[f"{n} {outcome}" for n, (_, outcome, _) in enumerate(WRONG)]
)
def test_a_file_that_cannot_be_taken_is_refused_in_the_api_s_words(
    messages: Sequence[Json], outcome: Outcome, message: str
) -> None:
    assert told(messages, outcome) == message


def test_the_reason_of_a_fetch_is_not_for_clients() -> None:
    kinds: list[type[FetchFault]] = [NotHttps, NotAllowed, RobotsDisallow, Unreachable, TooLarge]
    assert not any("10.0.0.1" in (told(ONE_URL, kind("10.0.0.1")) or "") for kind in kinds)


@pytest.mark.promise("media.first-problem")
def test_the_first_problem_in_the_request_s_order_is_the_answer() -> None:
    messages = [user([image(), image(url_source()), pdf()])]
    broken = MediaProblem("pdf", "broken")
    assert told(messages, PICTURE, Unreachable("x"), broken) == Unreachable.message
    assert told(messages, PICTURE, PICTURE, broken) == (
        "messages.0.content.2.pdf.source.base64.data: The PDF specified was not valid."
    )
    assert told(messages, PICTURE, PICTURE, pages(1)) is None


@pytest.mark.promise("further.pdf")
def test_the_pages_of_all_pdfs_count_together() -> None:
    messages = [user([pdf(), pdf(url_source())])]
    assert told(messages, pages(60), pages(40)) is None
    assert told(messages, pages(60), pages(41)) == (
        "messages.0.content.1.pdf.source.url: A maximum of 100 PDF pages may be provided."
    )


@pytest.mark.promise("further.pdf")
def test_a_pdf_of_pictures_alone_is_not_told_to_a_model_that_cannot_see_as_if_it_were_empty() -> None:
    assert told(ONE_PDF, NO_PAGE_WITH_TEXT, sees=False) == (
        f"{AT}: this PDF holds no text, only pictures, and this model does not support image input."
    )
    assert told(ONE_PDF, NO_PAGE_WITH_TEXT, sees=True) is None
    assert told(ONE_PDF, Pdf((*NO_PAGE_WITH_TEXT.pages, PdfPage("Words"))), sees=False) is None


@pytest.mark.promise("vision.dimension-details")
def test_the_details_name_every_image_that_is_too_large_for_the_same_reason() -> None:
    messages = [user([image(), image(), image()]), assistant([call("toolu_1")])]
    messages += [user([result("toolu_1", [text("a"), image()]), blocks(image()), image()])]
    large = MediaProblem("image", "too_large", 9000, 20, 8000)
    unreadable = MediaProblem("image", "unreadable")
    files = wants(*messages)
    issue = refusal(list(zip(files, [PICTURE, large, unreadable, large, large, large], strict=True)))
    assert issue is not None
    assert issue.message.startswith("messages.0.content.1.image.source.base64.data: At least one")
    assert issue.details == {
        "error_code": "image_dimensions_too_large",
        "max_side_length_pixels": 8000,
        "paths": [
            "messages.0.content.1",
            "messages.2.content.0.content.1",
            "messages.2.content.1.source.content.0",
            "messages.2.content.2",
        ],
    }
    other = refusal(list(zip(files[:1], [unreadable], strict=True)))
    assert other is not None
    assert other.details is None


@pytest.mark.promise("vision.dimension-details")
@pytest.mark.parametrize(
    ("problems", "side"),
    [
        ([MediaProblem("image", "too_large", 20, 2001, 2000)], 2000),
        ([MediaProblem("image", "oversized", 1080, 1920, 819, 1456)], 1456),
        # of several shapes the side that fits them all
        (
            [
                MediaProblem("image", "oversized", 1920, 1080, 1456, 819),
                MediaProblem("image", "oversized", 2000, 2000, 1092, 1092),
            ],
            1092,
        ),
    ],
)
def test_no_image_with_such_a_side_is_too_large(problems: list[MediaProblem], side: int) -> None:
    details = dimensions_details([(f"messages.{n}.content.0", problem) for n, problem in enumerate(problems)])
    assert details["max_side_length_pixels"] == side


def test_what_is_asked_for_does_not_depend_on_the_headers() -> None:
    case = case_of(user([image(), pdf()]))
    newer = replace(case, context=context(version="2026-10-21"))
    assert wanted(newer) == wanted(case)
