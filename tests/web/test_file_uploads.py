"""Uploads that fail half-way: nothing of them is ever listed, and nothing stays behind."""

import asyncio
import random
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.config import FileSettings, Settings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.files import StoredFile
from antiphon.ports.stores import StoreError, StoreFull, StoreUnavailable
from antiphon.request.files.types import HEAD
from antiphon.service.files.sweep import UNFINISHED
from antiphon.stores.objects import Objects
from antiphon.testing import Bridge, engine_app
from antiphon.testing.app import MODEL, SEALS
from antiphon.testing.dice import CountingEntropy
from antiphon.testing.files import MemoryFiles
from antiphon.web.admission import Admission
from antiphon.web.door import Door, Threshold
from antiphon.web.endpoint import Endpoint
from antiphon.web.files import FileResources
from antiphon.web.keys import Gatekeeper
from antiphon.web.uploads import Patience
from tests.web.files_app import BOUNDARY, FORM, SCRIPT, FilesApp, Sending, error_of, files_app, form, part

WHOLE = form(part("file", b"one\r\n--two", "a.txt"), part("expires_in_seconds", b"3600"))
MB = 1024 * 1024


@pytest.fixture(params=["memory", "folder"])
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FilesApp]:
    kept = Objects.open("memory://" if request.param == "memory" else (tmp_path / "objects").as_uri())
    async with files_app(objects=kept) as app:
        yield app
    # Drafts have names that no store lists.
    assert drafts(tmp_path) == []


def drafts(folder: Path) -> list[Path]:
    return list(folder.rglob("*#*"))


async def nothing_is_left(app: FilesApp) -> bool:
    return (await app.listed(), await app.kept()) == ([], [])


@pytest.mark.promise("files.swept")
def test_no_upload_lasts_until_its_bytes_are_swept() -> None:
    assert Patience().whole < UNFINISHED / 2


@pytest.mark.promise("files.forms")
async def test_a_form_may_come_in_any_pieces(app: FilesApp) -> None:
    # Every cut into two, and one byte after another.
    cuts = [[WHOLE[:n], WHOLE[n:]] for n in range(1, len(WHOLE), 3)] + [[bytes([byte]) for byte in WHOLE]]
    for pieces in cuts:
        sending = Sending(app)
        sending.start()
        await sending.give(*pieces, more=False)
        answer = await sending.end()
        assert answer.status == 200, answer.body
        assert (answer.json["filename"], answer.json["size_bytes"]) == ("a.txt", 10)
    (key, *_) = await app.kept()
    assert b"".join([chunk async for chunk in app.objects.read(key)]) == b"one\r\n--two"


@pytest.mark.promise("files.forms", "files.no-halves")
@pytest.mark.parametrize("seed", range(4))
async def test_no_form_whatever_it_holds_is_a_fault_of_the_server(seed: int) -> None:
    dice = random.Random(seed)
    pieces = [
        b"--",
        b"\r\n",
        BOUNDARY.encode(),
        b'filename="',
        b"content-type: ",
        b"\0",
        b"\xff",
        b"name=",
        b";",
        b'"',
    ]
    seen = set[int]()
    async with files_app() as app:
        for _ in range(150):
            body = bytearray(WHOLE)
            for _ in range(dice.randint(1, 3)):
                at, piece = dice.randrange(len(body)), dice.choice(pieces)
                body[at : at + dice.choice([0, 0, 1, 5, 40])] = piece if dice.random() < 0.7 else b""
            answer = await app.send(bytes(body))
            assert answer.status in (200, 400), (answer.body, bytes(body))
            seen.add(answer.status)
            assert len(await app.kept()) == len(await app.listed())
    assert seen == {200, 400}


@pytest.mark.promise("files.no-halves")
@pytest.mark.parametrize("sent", [0, 10, 60, 150, len(WHOLE) - 2])
async def test_a_client_that_vanishes_leaves_nothing(app: FilesApp, sent: int) -> None:
    sending = Sending(app)
    sending.start()
    await sending.give(WHOLE[:sent])
    assert await app.listed() == []
    await sending.vanish()
    assert await nothing_is_left(app)


@pytest.mark.promise("files.no-halves", "files.bounded")
async def test_a_large_upload_that_is_cut_off_leaves_nothing(app: FilesApp) -> None:
    sending = Sending(app)
    sending.start()
    await sending.give(part("file", b"", "a.bin")[:-2], *[bytes(MB)] * 20)
    assert await nothing_is_left(app)
    await sending.vanish()
    assert await nothing_is_left(app)


@pytest.mark.promise("files.no-halves")
async def test_a_server_that_ends_an_upload_leaves_nothing(app: FilesApp) -> None:
    sending = Sending(app)
    sending.start()
    await sending.give(part("file", b"", "a.bin")[:-2], *[bytes(MB)] * 7)
    sending.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending.task
    assert await nothing_is_left(app)


@pytest.mark.promise("files.no-halves")
@pytest.mark.parametrize("patience", [Patience(silence=0.0), Patience(whole=0.0)])
async def test_an_upload_that_is_too_slow_is_told_so(patience: Patience) -> None:
    async with files_app() as app:
        resources = FileResources(app.files, Admission(Gatekeeper(()), strict_betas=False), patience)
        door = Door(CountingEntropy(), Threshold.of(Settings(), SEALS.name))
        door.open(Endpoint({"POST": resources.upload}))
        sending = Sending(replace(app, bridge=Bridge(door)))
        sending.start()
        answer = await sending.end()
        assert error_of(answer) == (
            400,
            "invalid_request_error",
            "The request body was not received in time.",
            "request_body_timeout",
        )
        assert answer.headers["connection"] == "close"
        assert await nothing_is_left(app)


@pytest.mark.promise("files.bounded")
async def test_a_file_over_the_limit_is_refused_when_it_gets_there() -> None:
    async with files_app(most=2 * MB) as app:
        assert (await app.upload(bytes(2 * MB))).status == 200
        await app.delete((await app.listed())[0])
        answer = await app.upload(bytes(2 * MB + 1))
        assert error_of(answer)[:2] == (413, "request_too_large")
        assert await nothing_is_left(app)
        # A body may lie about its length, or say nothing of it.
        sending = Sending(app)
        sending.start()
        await sending.give(part("expires_in_seconds", b"3600"), part("file", b"", "a")[:-2], *[bytes(MB)] * 3)
        assert error_of(await sending.end())[:2] == (413, "request_too_large")
        assert await nothing_is_left(app)


@pytest.mark.promise("files.quota")
async def test_beyond_the_quota_nothing_is_kept() -> None:
    async with files_app(quota=100) as app:
        first = await app.id_of(bytes(60))
        answer = await app.upload(bytes(41))
        full = (
            400,
            "invalid_request_error",
            "File storage is full. Delete files that are no longer needed, and upload this one again.",
            "storage_quota_exceeded",
        )
        assert error_of(answer) == full
        assert (await app.listed(), len(await app.kept())) == ([first], 1)
        assert (await app.upload(bytes(40))).status == 200
        assert error_of(await app.upload(b""))[3] == "storage_quota_exceeded"
        await app.delete(first)
        assert (await app.upload(bytes(60))).status == 200


@pytest.mark.promise("files.quota")
async def test_of_uploads_at_the_same_time_those_that_fit_are_kept() -> None:
    async with files_app(quota=100) as app:
        sendings = [Sending(app) for _ in range(4)]
        for sending in sendings:
            sending.start()
            await sending.give(part("file", bytes(40), "a.bin"))
        for sending in sendings:
            await sending.give(form(), more=False)
        answers = [await sending.end() for sending in sendings]
        assert sorted(answer.status for answer in answers) == [200, 200, 400, 400]
        assert (len(await app.listed()), len(await app.kept())) == (2, 2)


@pytest.mark.promise("files.quota")
async def test_a_quota_in_the_settings_holds() -> None:
    async with engine_app(ScriptedEngine(MODEL, SCRIPT), files=FileSettings(quota=10)) as bridge:
        over, within = (form(part("file", bytes(size), "a")) for size in (11, 10))
        answer = await bridge.ask("POST", "/v1/files", over, headers=FORM)
        assert error_of(answer)[3] == "storage_quota_exceeded"
        assert (await bridge.ask("POST", "/v1/files", within, headers=FORM)).status == 200


class Failing(Objects):
    """Objects that fail as a test says: `after` so many bytes, or at once where they are read."""

    problem: StoreError | None = None
    after = 0

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        async def failing() -> AsyncIterator[bytes]:
            count = 0
            async for chunk in chunks:
                count += len(chunk)
                if self.problem is not None and count > self.after:
                    raise self.problem
                yield chunk

        return await super().put(key, failing())

    async def delete(self, key: str) -> None:
        if self.problem is not None:
            raise self.problem
        await super().delete(key)

    async def read(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        if self.problem is not None:
            raise self.problem
        async for chunk in super().read(key, start):
            yield chunk


@pytest.mark.promise("files.store-faults")
@pytest.mark.parametrize("after", [0, HEAD, 6 * MB])
async def test_a_full_store_says_that_it_is_full_and_keeps_nothing(after: int) -> None:
    objects = Failing.open("memory://")
    assert isinstance(objects, Failing)
    objects.problem, objects.after = StoreFull("no space left"), after
    async with files_app(objects=objects) as app:
        answer = await app.upload(bytes(7 * MB))
        assert (answer.status, answer.json["error"]["details"]["error_code"]) == (400, "storage_quota_exceeded")
        assert await nothing_is_left(app)


class FailingRows(MemoryFiles):
    """Rows that cannot be had while there is a problem."""

    problem: StoreError | None = None

    def __getattribute__(self, name: str) -> object:
        if name in ("add", "find", "older", "newer", "remove", "place", "used") and self.problem is not None:
            raise self.problem
        return super().__getattribute__(name)


@pytest.mark.promise("files.store-faults")
async def test_a_store_that_does_not_answer_is_an_overload_that_clients_try_again() -> None:
    rows, objects = FailingRows(), Failing.open("memory://")
    assert isinstance(objects, Failing)
    async with files_app(rows=rows, objects=objects) as app:
        id_ = await app.id_of(b"a")
        rows.problem = StoreUnavailable("the database is gone")
        answers = [
            await app.get(),
            await app.get(f"/{id_}"),
            await app.get(f"/{id_}/content"),
            await app.delete(id_),
            await app.upload(b"b"),
        ]
        for answer in answers:
            assert error_of(answer) == (529, "overloaded_error", "Overloaded", None)
            assert int(answer.headers["retry-after"]) > 0
        rows.problem = None
        assert await app.listed() == [id_]


@pytest.mark.promise("files.store-faults")
async def test_bytes_that_are_gone_or_cannot_be_had_are_no_empty_file() -> None:
    objects = Failing.open("memory://")
    assert isinstance(objects, Failing)
    async with files_app(objects=objects) as app:
        tenant = (await app.get()).headers["anthropic-workspace-id"]

        async def chunks() -> AsyncIterator[bytes]:
            yield b"chart"

        file = await app.files.uploads.make(tenant, "a.png", "image/png", chunks())
        objects.problem = StoreUnavailable("nobody answers")
        assert error_of(await app.get(f"/{file.id}/content"))[0] == 529
        objects.problem = None
        await app.objects.delete(file.key)
        assert error_of(await app.get(f"/{file.id}/content"))[:3] == (500, "api_error", "Internal server error")


@pytest.mark.promise("files.deleted", "files.swept")
async def test_a_file_is_deleted_although_its_bytes_cannot_be_had_and_these_are_swept() -> None:
    objects = Failing.open("memory://")
    assert isinstance(objects, Failing)
    async with files_app(objects=objects) as app:
        id_ = await app.id_of(b"a")
        objects.problem = StoreUnavailable("nobody answers")
        assert (await app.delete(id_)).json == {"id": id_, "type": "file_deleted"}
        assert (await app.get(f"/{id_}")).status == 404
        objects.problem = None
        assert len(await app.kept()) == 1
        await app.files.sweep.run(app.clock.time + UNFINISHED + 1)
        assert await app.kept() == []


class FullRows(MemoryFiles):
    """Rows that have no room to write until so many objects are deleted."""

    def __init__(self, objects: Objects, room: int) -> None:
        super().__init__()
        self.objects, self.room = objects, room

    async def _check(self) -> None:
        if len([key async for key in self.objects.keys("")]) > self.room:
            raise StoreFull("no space left")

    async def add(self, file: StoredFile, quota: int | None) -> bool:
        await self._check()
        return await super().add(file, quota)

    async def remove(self, tenant: str, id_: str, now: int) -> StoredFile | None:
        await self._check()
        return await super().remove(tenant, id_, now)


@pytest.mark.promise("files.store-faults")
async def test_where_the_rows_have_no_room_bytes_are_given_back_and_files_can_be_deleted() -> None:
    objects = Objects.open("memory://")
    rows = FullRows(objects, 2)
    async with files_app(rows=rows, objects=objects) as app:
        ids = [await app.id_of(b"a"), await app.id_of(b"b")]
        answer = await app.upload(b"c")
        assert (answer.status, error_of(answer)[3]) == (400, "storage_quota_exceeded")
        assert (set(await app.listed()), len(await app.kept())) == (set(ids), 2)
        rows.room = 1
        assert (await app.delete(ids[0])).json["type"] == "file_deleted"
        assert (await app.listed(), len(await app.kept())) == ([ids[1]], 1)
