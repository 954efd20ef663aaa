"""Files of requests on their way in: decoded and fetched once, judged in order, and left alone when nobody waits."""

import asyncio
import base64
import io
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import orjson
import pytest
from PIL import Image as Pillow

from antiphon.dialogue.content import Text
from antiphon.dialogue.media import Image
from antiphon.engines.llamacpp.pictures import MOST_BYTES
from antiphon.errors import ApiError, InvalidRequest
from antiphon.media.reader import Bounds, Reader
from antiphon.ports.fetch import NotAllowed
from antiphon.ports.media import MediaProblem, MediaUnavailable, Pdf, PdfPage
from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.media.wanted import Media, Wanted, wanted
from antiphon.request.media.wording import MOST_BYTES_SHOWN
from antiphon.service.media.cache import URL_SECONDS, KnownUrls, MediaCache
from antiphon.service.media.intake import AT_ONCE, LARGE, MediaIntake
from antiphon.service.media.room import Room
from antiphon.testing import FixedClock
from tests.media.pdf_writer import objects, written
from tests.request.requests import Json, body, context, local, user
from tests.service.media.doubles import WAIT, StandInFetcher, StandInReader, intake

URL = "https://example.com/a.png"

MB = 1024 * 1024


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def image(data: bytes | str = b"a", media_type: str = "image/png", **more: Any) -> Json:
    text = data if isinstance(data, str) else coded(data)
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": text}, **more}


def image_at(url: str = URL) -> Json:
    return {"type": "image", "source": {"type": "url", "url": url}}


def pdf(data: bytes = b"p") -> Json:
    source = {"type": "base64", "media_type": "application/pdf", "data": coded(data)}
    return {"type": "document", "source": source}


def pdf_at(url: str = URL) -> Json:
    return {"type": "document", "source": {"type": "url", "url": url}}


def files(*content: Json, sees: bool = True) -> Sequence[Wanted]:
    """What a request with these blocks wants to be read."""
    request = parse_create(orjson.dumps(body(user(list(content)))), context())
    return wanted(Case(request, local(), context(), sees))


async def refused(way_in: MediaIntake, *content: Json) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        await way_in.read(files(*content))
    return caught.value


def place(position: int) -> str:
    return f"messages.0.content.{position}"


async def test_a_request_without_files_asks_nobody() -> None:
    reader, fetcher = StandInReader(), StandInFetcher()
    assert await intake(reader, fetcher).read(()) == {}
    assert (reader.asked, fetcher.asked) == ([], [])


@pytest.mark.promise("media.too-much-to-show")
async def test_pictures_that_no_engine_takes_together_are_a_413() -> None:
    assert MOST_BYTES_SHOWN <= MOST_BYTES
    large = Image(bytes(33 * MB), 10, 10)
    reader = StandInReader({b"a": large, b"p": Pdf((PdfPage("One", large), PdfPage("Two")))})
    assert len(await intake(reader).read(files(image(b"a"), image(b"b")))) == 2
    with pytest.raises(ApiError) as caught:
        await intake(reader).read(files(image(b"a"), pdf(b"p")))
    assert (caught.value.status, caught.value.type) == (413, "request_too_large")
    assert "more than 64 MB together" in caught.value.message


@pytest.mark.promise("media.too-much-to-show")
def test_what_does_not_fit_is_judged_and_not_kept() -> None:
    room, picture = Room(100), Image(bytes(40), 10, 10)
    pages = Pdf((PdfPage("One", picture), PdfPage("Two")))
    assert room.take(picture, 2) is picture
    assert not room.is_full
    assert room.take(pages, 1) == Pdf((PdfPage("One"), PdfPage("Two")))
    assert room.is_full
    assert room.take(picture, 1) == Image(b"", 10, 10)
    problem = MediaProblem("image", "unreadable")
    assert room.take(problem, 1) is problem


@pytest.mark.promise("media.too-much-to-show")
async def test_a_picture_that_is_shown_twice_counts_twice_and_a_broken_one_is_told_first() -> None:
    large = Image(bytes(33 * MB), 10, 10)
    reader = StandInReader({b"a": large, b"b": MediaProblem("image", "unreadable")})
    with pytest.raises(ApiError) as caught:
        await intake(reader).read(files(image(b"a"), image(b"a")))
    assert caught.value.status == 413
    assert (await refused(intake(reader), image(b"a"), image(b"a"), image(b"b"))).status == 400


@pytest.mark.promise("vision.sources")
async def test_each_file_is_read_from_where_it_is() -> None:
    pages = Pdf((PdfPage("One"),))
    reader = StandInReader({b"p": pages, b"q": pages})
    fetcher = StandInFetcher({URL: b"b", "https://example.com/q": b"q"})
    wants = files(image(b"a", "image/webp"), image_at(), pdf(b"p"), pdf_at("https://example.com/q"))
    read: Media = await intake(reader, fetcher).read(wants)
    assert read == {
        place(0): Image(b"a", 10, 10),
        place(1): Image(b"b", 10, 10),
        place(2): pages,
        place(3): pages,
    }
    limits = {data: (declared, limit) for data, declared, limit in reader.asked}
    assert limits == {
        b"a": ("image/webp", wants[0].limit),
        b"b": (None, wants[1].limit),
        b"p": (None, wants[2].limit),
        b"q": (None, wants[3].limit),
    }
    assert sorted(fetcher.asked) == [(URL, 10 * MB), ("https://example.com/q", 32 * MB)]
    assert {accept[0] for accept in fetcher.accepted} == {"image/jpeg", "application/pdf"}


NOT_BASE64 = ["a", "AAA", "AA==AA", "AAAA\n", "AAAA AAAA", "AA-_", "data:image/png;base64,AAAA", "é", "=AAA"]


@pytest.mark.promise("vision.refusals")
@pytest.mark.parametrize("text", NOT_BASE64)
@pytest.mark.parametrize("large", [False, True])
async def test_base64_is_read_to_the_letter(text: str, large: bool) -> None:
    told = await refused(intake(), image(b"fine"), image("A" * 4 * LARGE + text if large else text))
    assert told.message == f"{place(1)}.image.source.base64: invalid base64 data"


@pytest.mark.promise("vision.refusals")
async def test_the_first_problem_is_told_however_late_it_is_found() -> None:
    reader = StandInReader({b"x": MediaProblem("image", "unreadable"), b"l": MediaProblem("pdf", "locked")})
    fetcher = StandInFetcher({URL: NotAllowed("10.0.0.1 is private")}, gate=asyncio.Event())
    way_in = intake(reader, fetcher)
    asking = asyncio.create_task(refused(way_in, image(), image_at(), image(b"x"), pdf(b"l")))
    await reader.until_asked(3)
    assert fetcher.gate is not None
    fetcher.gate.set()
    told = await asking
    assert told.message == "Unable to download the file. Please verify the URL and try again."
    assert (await refused(way_in, image(), image(b"x"), image_at(), pdf(b"l"))).message == "Could not process image"


@pytest.mark.promise("vision.guarded-fetch")
async def test_why_a_url_cannot_be_had_is_for_the_owner_s_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "antiphon")
    told = await refused(intake(fetcher=StandInFetcher({URL: NotAllowed("10.0.0.1 is private")})), image_at())
    assert "10.0.0.1" not in told.message
    assert "messages.0.content.0: NotAllowed: 10.0.0.1 is private" in caplog.text


@pytest.mark.promise("vision.dimension-details")
async def test_the_details_travel_with_the_error() -> None:
    large = MediaProblem("image", "too_large", 9000, 20, 8000)
    told = await refused(intake(StandInReader({b"x": large})), image(), image(b"x"), image(b"x"))
    assert told.details == {
        "error_code": "image_dimensions_too_large",
        "max_side_length_pixels": 8000,
        "paths": [place(1), place(2)],
    }


@pytest.mark.parametrize(
    ("problem", "status", "kind"),
    [
        (MediaUnavailable("too many wait", busy=True), 529, "overloaded_error"),
        (MediaUnavailable("no process"), 500, "api_error"),
    ],
    ids=["busy", "broken"],
)
async def test_a_reader_that_cannot_read_now_is_not_the_client_s_fault(
    problem: MediaUnavailable, status: int, kind: str
) -> None:
    with pytest.raises(ApiError) as caught:
        await intake(StandInReader({b"x": problem})).read(files(image(), image(b"x")))
    assert (caught.value.status, caught.value.type) == (status, kind)
    assert ("retry-after" in caught.value.headers) is problem.busy
    assert str(problem) not in caught.value.message


# What is remembered.
@pytest.mark.promise("media.read-once")
async def test_a_file_that_is_sent_again_is_not_read_again() -> None:
    reader, fetcher = StandInReader({b"p": Pdf((PdfPage("One"),))}), StandInFetcher({URL: b"b"})
    way_in = intake(reader, fetcher)
    first = await way_in.read(files(image(b"a"), image_at(), pdf()))
    asked, fetched = len(reader.asked), len(fetcher.asked)
    again = await way_in.read(files(image_at(), pdf(), image(b"a")))
    assert sorted(map(str, again.values())) == sorted(map(str, first.values()))
    assert (len(reader.asked), len(fetcher.asked)) == (asked, fetched) == (3, 1)


@pytest.mark.promise("media.read-once")
async def test_the_same_file_twice_in_a_request_is_read_once() -> None:
    reader, fetcher = StandInReader(), StandInFetcher({URL: b"b"})
    read = await intake(reader, fetcher).read(files(image(b"a"), image_at(), image(b"a"), image_at()))
    assert list(read) == [place(0), place(1), place(2), place(3)]
    assert (len(reader.asked), len(fetcher.asked)) == (2, 1)


@pytest.mark.promise("media.read-once")
async def test_what_was_read_for_one_limit_does_not_stand_for_another() -> None:
    reader = StandInReader()
    way_in = intake(reader)
    await way_in.read(files(image(b"a")))
    await way_in.read(files(image(b"a", transformations={"oversized_image": "error"})))
    await way_in.read(files(image(b"a", "image/gif")))
    await way_in.read(files(*[image(b"a")] * 21))
    assert len(reader.asked) == 4
    assert len({(declared, limit) for _, declared, limit in reader.asked}) == 4


async def test_a_problem_is_looked_at_anew() -> None:
    reader = StandInReader({b"x": MediaProblem("image", "timeout")})
    way_in = intake(reader)
    assert (await refused(way_in, image(b"x"))).message == "Could not process image"
    reader.holds = {}
    assert place(0) in await way_in.read(files(image(b"x")))


@pytest.mark.promise("media.read-once")
async def test_a_url_is_asked_again_after_a_while() -> None:
    clock, reader, fetcher = FixedClock(), StandInReader(), StandInFetcher({URL: b"b"})
    way_in = intake(reader, fetcher, clock)
    await way_in.read(files(image_at()))
    clock.time += URL_SECONDS - 1
    await way_in.read(files(image_at()))
    assert len(fetcher.asked) == 1
    clock.time += 1
    fetcher.files = {URL: b"c"}
    assert await way_in.read(files(image_at())) == {place(0): Image(b"c", 10, 10)}
    assert len(fetcher.asked) == 2


async def test_a_url_whose_file_was_forgotten_is_asked_again() -> None:
    reader, fetcher = StandInReader(), StandInFetcher({URL: b"b" * 500})
    way_in = intake(reader, fetcher, cache=1000)
    await way_in.read(files(image_at()))
    await way_in.read(files(image(b"c" * 500)))
    assert await way_in.read(files(image_at())) == {place(0): Image(b"b" * 500, 10, 10)}
    assert len(fetcher.asked) == 2


def test_a_full_cache_forgets_what_was_not_asked_for_longest() -> None:
    cache = MediaCache(3000)
    for name in "abc":
        cache.put(name, Image(bytes(700), 1, 1))
    assert cache.get("a") is not None
    cache.put("d", Image(bytes(700), 1, 1))
    assert [name for name in "abcd" if cache.get(name)] == ["a", "c", "d"]
    cache.put("large", Pdf((PdfPage("x" * 3000),)))
    assert cache.get("large") is None
    assert cache.get("a") is not None
    cache.put("pages", Pdf((PdfPage("x" * 100, Image(bytes(2000), 1, 1)),)))
    assert [name for name in [*"abcd", "pages"] if cache.get(name)] == ["pages"]


def test_a_cache_of_no_size_keeps_nothing() -> None:
    cache = MediaCache(0)
    cache.put("a", Image(b"", 1, 1))
    assert cache.get("a") is None


def test_what_is_put_twice_counts_once() -> None:
    cache = MediaCache(2000)
    for _ in range(5):
        cache.put("a", Image(bytes(700), 1, 1))
    cache.put("b", Image(bytes(700), 1, 1))
    assert cache.get("a") is not None
    assert cache.get("b") is not None


def test_only_so_many_urls_are_known() -> None:
    urls = KnownUrls(FixedClock())
    for number in range(5000):
        urls.put(str(number), b"d")
    assert urls.get("0") is None
    assert urls.get("4999") == b"d"


# Bounds.
async def test_only_a_few_files_of_a_request_are_in_work_at_once() -> None:
    reader = StandInReader(gate=asyncio.Event())
    reading = asyncio.create_task(intake(reader).read(files(*[image(b"%d" % n) for n in range(40)])))
    await reader.until_asked(AT_ONCE)
    assert reader.gate is not None
    reader.gate.set()
    assert len(await reading) == 40
    assert reader.most_at_once == AT_ONCE


@pytest.mark.promise("media.nothing-left-running")
async def test_a_request_that_is_given_up_gives_up_its_files() -> None:
    reader, fetcher = StandInReader(gate=asyncio.Event()), StandInFetcher({URL: b"b"}, gate=asyncio.Event())
    reading = asyncio.create_task(intake(reader, fetcher).read(files(image(b"a"), image_at(), image(b"c"))))
    await reader.until_asked(2)
    await fetcher.until_asked(1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(WAIT):
            await reading
    assert (reader.left, fetcher.left) == (2, 1)


# With the real reader.
def saved(kind: str, width: int = 30, height: int = 20) -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", (width, height), (200, 10, 10)).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
async def real() -> AsyncGenerator[MediaIntake]:
    """The way in for files with processes that read them."""
    reader = Reader(Bounds(workers=1))
    yield MediaIntake(
        reader, StandInFetcher({URL: saved("GIF"), URL + "f": written(objects(2))}), FixedClock(), cache=MB
    )
    await reader.aclose()


@pytest.mark.promise("vision.sources")
async def test_real_files_of_every_kind_are_read(real: MediaIntake) -> None:
    content = [image(saved(kind), f"image/{kind.lower()}") for kind in ("JPEG", "PNG", "GIF", "WEBP")]
    read = await real.read(files(*content, image_at(), pdf(written(objects(3))), pdf_at(URL + "f")))
    sizes = [
        len(seen.pages) if isinstance(seen, Pdf) else (seen.width, seen.height)
        for seen in read.values()
        if not isinstance(seen, Text)
    ]
    assert sizes == [(30, 20)] * 5 + [3, 2]
    (pages,) = (await real.read(files(pdf(written(objects(1))), sees=False))).values()
    assert isinstance(pages, Pdf)
    assert pages.pages[0].image is None
    assert "1" in pages.pages[0].text


@pytest.mark.promise("vision.refusals")
async def test_real_files_that_cannot_be_taken_are_refused(real: MediaIntake) -> None:
    at = f"{place(0)}.image.source.base64"
    wrong = {
        f"{at}: The image was specified using the image/png media type, but the image appears to be a image/jpeg "
        "image": image(saved("JPEG")),
        f"{at}: image cannot be empty": image(b""),
        "Could not process image": image(saved("PNG")[:60]),
        f"{at}.data: At least one of the image dimensions exceed max allowed size: 8000 pixels": image(
            saved("PNG", 8001, 1)
        ),
        f"{place(0)}: image dimensions 3840x2160 exceed the maximum image size of a model named on this request and "
        "would be downsized to 2576x1449; scale the image to at most 2576x1449 or set the image's oversized_image "
        'setting to "downsize"': image(saved("PNG", 3840, 2160), transformations={"oversized_image": "error"}),
        "PDF cannot be empty": pdf(b""),
        f"{place(0)}.pdf.source.base64.data: The PDF specified was not valid.": pdf(b"no PDF"),
        f"{place(0)}.pdf.source.url: The PDF specified was not valid.": pdf_at(),
    }
    told = [(await refused(real, block)).message for block in wrong.values()]
    assert told == list(wrong)
