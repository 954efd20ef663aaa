"""Uploaded files on their way to a model that sees."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import orjson
import pytest

from antiphon.dialogue.content import Text
from antiphon.dialogue.media import Image
from antiphon.errors import ApiError
from antiphon.ports.files import StoredFile
from antiphon.ports.media import ImageLimit
from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.media.wanted import Wanted, wanted
from antiphon.request.media.wording import MOST_BYTES
from antiphon.service.files.files import Files
from antiphon.service.media.intake import UPLOADS_AT_ONCE, MediaIntake
from antiphon.stores.objects import Objects
from antiphon.testing import CountingEntropy, FixedClock
from antiphon.testing.files import MemoryFiles
from tests.request.requests import Json, body, context, local, user
from tests.service.media.doubles import StandInFetcher, StandInReader, intake

PNG = b"\x89PNG\r\n\x1a\n"


class Kept:
    """Files, and the way in for requests that name them."""

    def __init__(self, reader: StandInReader) -> None:
        clock = FixedClock()
        self.files = Files.over(MemoryFiles(), Objects.open("memory://"), clock, CountingEntropy())
        self.intake = MediaIntake(reader, StandInFetcher(), clock, cache=1_000_000, library=self.files.library)

    async def add(self, data: bytes) -> str:
        async def chunks() -> AsyncIterator[bytes]:
            yield data

        return (await self.files.uploads.make("mine", "a", "", chunks())).id

    async def known(self, files: Sequence[Wanted]) -> Mapping[str, StoredFile]:
        return await self.intake.named("mine", files)


def files(*blocks: Json) -> Sequence[Wanted]:
    """What a request with these blocks wants to be read."""
    request = parse_create(orjson.dumps(body(user(list(blocks)))), context())
    return wanted(Case(request, local(), context(), True))


def image(id_: str) -> Json:
    return {"type": "image", "source": {"type": "file", "file_id": id_}}


def document(id_: str) -> Json:
    return {"type": "document", "source": {"type": "file", "file_id": id_}}


@pytest.mark.promise("files.used-by-id")
async def test_a_model_that_sees_is_shown_the_picture() -> None:
    reader = StandInReader()
    kept = Kept(reader)
    asked = files(image(await kept.add(PNG)))
    held = await kept.intake.read(asked, await kept.known(asked))
    assert held == {"messages.0.content.0": Image(PNG, 10, 10)}
    ((_, declared, limit),) = reader.asked
    # The file itself may have ten megabytes, not its base64.
    assert isinstance(limit, ImageLimit)
    assert (declared, limit.weight >= MOST_BYTES * 4 / 3) == (None, True)


@pytest.mark.promise("files.used-by-id")
async def test_a_text_is_read_without_a_reader() -> None:
    reader = StandInReader()
    kept = Kept(reader)
    asked = files(document(await kept.add("\ufeffGrüße".encode())))
    assert await kept.intake.read(asked, await kept.known(asked)) == {"messages.0.content.0": Text("Grüße")}
    assert reader.asked == []


@pytest.mark.promise("files.bounded")
async def test_only_some_of_all_requests_uploads_are_in_memory_at_once() -> None:
    reader = StandInReader()
    kept = Kept(reader)
    asked = [files(*[image(await kept.add(PNG + bytes([n, m]))) for m in range(3)]) for n in range(6)]

    await asyncio.gather(*[kept.intake.read(each, await kept.known(each)) for each in asked])
    assert len(reader.asked) == 18
    assert reader.most_at_once <= UPLOADS_AT_ONCE


@pytest.mark.promise("files.deleted")
async def test_where_no_files_are_kept_none_is_known() -> None:
    with pytest.raises(ApiError) as error:
        await intake().named("mine", files(document("file_1"), image("file_2")))
    assert (error.value.status, error.value.message) == (404, "File `file_1` not found.")
