"""The endpoints of files: uploaded, listed, told of, given out, deleted."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from antiphon.ports.files import StoredFile
from antiphon.request.files.wording import MOST_BYTES
from antiphon.testing.files import MemoryFiles
from tests.web.files_app import BETA, FORM, KEYS, MINE, THEIRS, FilesApp, error_of, files_app, form, part

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
HOUR = 3600


@pytest.fixture
async def app() -> AsyncIterator[FilesApp]:
    async with files_app() as app:
        yield app


async def three(app: FilesApp, count: int = 3) -> list[str]:
    """The ids of so many files, newest first."""
    ids: list[str] = []
    for n in range(count):
        app.clock.time += 1
        ids.insert(0, await app.id_of(f"{n}".encode()))
    return ids


async def made(app: FilesApp, data: Sequence[bytes], filename: str, kind: str, tenant: str = "") -> StoredFile:
    """A file that a tool has made."""

    async def chunks() -> AsyncIterator[bytes]:
        for chunk in data:
            yield chunk

    if not tenant:
        tenant = await tenant_of(app)
    return await app.files.uploads.make(tenant, filename, kind, chunks())


async def tenant_of(app: FilesApp, headers: dict[str, str] | None = None) -> str:
    """The workspace that replies name."""
    return (await app.get(headers=headers)).headers["anthropic-workspace-id"]


@pytest.mark.promise("files.metadata")
async def test_a_file_is_told_of_by_all_eight_keys(app: FilesApp) -> None:
    app.clock.time = 1_770_000_000.25
    answer = await app.upload(b"Hello!", "hello.txt", "text/plain; charset=utf-8")
    file = answer.json
    assert answer.status == 200
    assert file.pop("id").startswith("file_01")
    assert file == {
        "type": "file",
        "filename": "hello.txt",
        "mime_type": "text/plain",
        "size_bytes": 6,
        "created_at": "2026-02-02T02:40:00.250000Z",
        "downloadable": False,
        "expires_at": None,
    }
    assert (await app.get(f"/{answer.json['id']}")).json == answer.json


@pytest.mark.promise("files.metadata")
@pytest.mark.parametrize(
    ("data", "declared", "kept"),
    [
        (PNG, "application/octet-stream", "image/png"),
        (b"%PDF-1.7\n", None, "application/pdf"),
        (b"Some words.", "", "text/plain"),
        (b"\0\1\2", None, "application/octet-stream"),
        (b"", None, "application/octet-stream"),
        (b"a,b", "text/csv", "text/csv"),
        (PNG, "no type", "image/png"),
    ],
)
async def test_the_type_is_the_declared_one_or_else_that_of_the_bytes(
    app: FilesApp, data: bytes, declared: str | None, kept: str
) -> None:
    assert (await app.upload(data, "a", declared)).json["mime_type"] == kept


@pytest.mark.promise("files.names")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("/etc/passwd", "passwd"),
        ("a\\b\\c.pdf", "c.pdf"),
        ("C:\\Users\\me\\c.pdf", "c.pdf"),
        ("../../up.txt", "up.txt"),
        ("Übersicht 😀.txt", "Übersicht 😀.txt"),
        ("", "unnamed.txt"),
        (None, "unnamed.txt"),
        ("folder/", "unnamed.txt"),
    ],
)
async def test_the_last_part_of_a_name_is_kept(app: FilesApp, sent: str | None, kept: str) -> None:
    assert (await app.upload(b"a", sent)).json["filename"] == kept


@pytest.mark.promise("files.names")
@pytest.mark.parametrize("name", ["a<b", "a>b", "a:b", "a|b", "a?b", "a*b", "a%22b", "a%0Ab", "..", "x" * 256])
async def test_names_that_no_system_takes_are_refused_before_anything_is_kept(app: FilesApp, name: str) -> None:
    status, kind, message, _ = error_of(await app.upload(b"a", name))
    assert (status, kind, message.partition(" ")[0]) == (400, "invalid_request_error", "file:")
    assert (await app.listed(), await app.kept()) == ([], [])


@pytest.mark.promise("files.two-shapes")
async def test_the_header_chooses_the_shape_of_list_and_file(app: FilesApp) -> None:
    ids = await three(app)
    new = (await app.get()).json
    assert set(new) == {"data", "next_page"}
    assert [file["id"] for file in new["data"]] == ids
    assert all("expires_at" in file for file in new["data"])
    old = (await app.get(headers=BETA, query="beta=true")).json
    assert {name: old[name] for name in old if name != "data"} == {
        "has_more": False,
        "first_id": ids[0],
        "last_id": ids[-1],
    }
    assert [file["id"] for file in old["data"]] == ids
    assert all("expires_at" not in file for file in old["data"])
    assert "expires_at" not in (await app.get(f"/{ids[0]}", headers=BETA)).json
    assert "expires_at" not in (await app.upload(b"a", headers=BETA)).json


@pytest.mark.promise("files.two-shapes")
async def test_an_empty_list_has_both_shapes_too(app: FilesApp) -> None:
    assert (await app.get()).json == {"data": [], "next_page": None}
    assert (await app.get(headers=BETA)).json == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.promise("files.pagers")
async def test_pages_go_on_where_the_last_one_ended_although_files_come_and_go(app: FilesApp) -> None:
    ids = await three(app, 7)
    seen: list[str] = []
    query = "limit=3"
    while True:
        page = (await app.get(query=query)).json
        seen += [file["id"] for file in page["data"]]
        if page["next_page"] is None:
            break
        assert page["next_page"].startswith("page_")
        await app.delete(page["data"][-1]["id"])
        app.clock.time += 1
        await app.id_of(b"new")
        query = f"limit=3&page={page['next_page']}"
    assert seen == ids


@pytest.mark.promise("files.pagers")
async def test_the_betas_pages_go_both_ways_from_files_that_may_be_deleted(app: FilesApp) -> None:
    ids = await three(app, 5)
    first = (await app.get(query="limit=2", headers=BETA)).json
    assert ([file["id"] for file in first["data"]], first["has_more"]) == (ids[:2], True)
    await app.delete(ids[1])
    second = (await app.get(query=f"limit=2&after_id={ids[1]}", headers=BETA)).json
    assert ([file["id"] for file in second["data"]], second["has_more"]) == (ids[2:4], True)
    last = (await app.get(query=f"limit=2&after_id={ids[3]}", headers=BETA)).json
    assert ([file["id"] for file in last["data"]], last["has_more"]) == (ids[4:], False)
    back = (await app.get(query=f"limit=2&before_id={ids[4]}", headers=BETA)).json
    assert ([file["id"] for file in back["data"]], back["has_more"]) == (ids[2:4], True)
    start = (await app.get(query=f"limit=2&before_id={ids[2]}", headers=BETA)).json
    assert ([file["id"] for file in start["data"]], start["has_more"]) == (ids[:1], False)


@pytest.mark.promise("files.ids")
@pytest.mark.parametrize("name", ["ids[]", "ids", "ids%5B%5D"])
async def test_files_asked_for_by_id_come_on_one_page(app: FilesApp, name: str) -> None:
    ids = await three(app)
    asked = "&".join(f"{name}={id_}" for id_ in (ids[2], "file_unknown", ids[0], ids[0]))
    page = (await app.get(query=asked)).json
    assert ([file["id"] for file in page["data"]], page["next_page"]) == ([ids[0], ids[2]], None)


@pytest.mark.promise("files.ids")
async def test_a_hundred_ids_are_taken_and_no_more(app: FilesApp) -> None:
    asked = "&".join(f"ids[]=file_{n}" for n in range(100))
    assert (await app.get(query=f"{asked}&ids[]=file_0")).json["data"] == []
    assert error_of(await app.get(query=f"{asked}&ids[]=file_100"))[2] == (
        "ids: List should have at most 100 items after validation, not 101"
    )


@pytest.mark.parametrize(
    ("query", "beta", "message"),
    [
        ("limit=0", False, "limit: Input should be greater than or equal to 1"),
        ("limit=1001", True, "limit: Input should be less than or equal to 1000"),
        ("limit=many", False, "limit: Input should be a valid integer, unable to parse string as an integer"),
        ("ids[]=a&limit=2", False, "ids: cannot be combined with `page` or `limit`"),
        ("ids[]=a&page=page_a", False, "ids: cannot be combined with `page` or `limit`"),
        ("page=2", False, "page: this is no cursor of a list of files"),
        ("page=page_abc", False, "page: this is no cursor of a list of files"),
        ("page=page_é", False, "page: this is no cursor of a list of files"),
        ("after_id=file_1", False, "after_id: Extra inputs are not permitted"),
        ("after_id=file_1", True, "after_id: no file has the id 'file_1'"),
        ("after_id=a&before_id=b", True, "after_id: only one of `after_id` and `before_id` may be given"),
    ],
)
async def test_what_is_wrong_with_a_query_is_said(app: FilesApp, query: str, beta: bool, message: str) -> None:
    answer = await app.get(query=query, headers=BETA if beta else None)
    assert error_of(answer)[:3] == (400, "invalid_request_error", message)


@pytest.mark.parametrize("headers", [BETA, {}])
async def test_no_file_is_of_a_session(app: FilesApp, headers: dict[str, str]) -> None:
    await three(app)
    assert (await app.get(query="scope_id=session_1", headers=headers)).json["data"] == []


@pytest.mark.promise("files.downloads")
async def test_an_upload_is_not_given_out_again(app: FilesApp) -> None:
    id_ = await app.id_of(b"secret")
    assert error_of(await app.get(f"/{id_}/content")) == (
        400,
        "invalid_request_error",
        "File is not downloadable",
        "file_not_downloadable",
    )


@pytest.mark.promise("files.downloads")
async def test_what_a_tool_has_made_is_given_out_to_the_byte(app: FilesApp) -> None:
    data = [bytes(range(256)) * 4096, b"", b"end"]
    file = await made(app, data, "chart é.png", "image/png")
    told = (await app.get(f"/{file.id}")).json
    assert (told["downloadable"], told["size_bytes"]) == (True, 256 * 4096 + 3)
    answer = await app.get(f"/{file.id}/content", headers={"accept": "application/binary"})
    assert answer.body == b"".join(data)
    assert (answer.status, answer.headers["content-type"], answer.headers["content-length"]) == (
        200,
        "image/png",
        str(told["size_bytes"]),
    )
    # A page that a tool has made is none of this server's.
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''chart%20%C3%A9.png"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.promise("files.downloads")
async def test_an_empty_file_is_given_out_too(app: FilesApp) -> None:
    file = await made(app, [], "empty", "")
    answer = await app.get(f"/{file.id}/content")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.promise("files.deleted")
async def test_a_deleted_file_is_unknown_afterwards(app: FilesApp) -> None:
    id_ = await app.id_of(b"a")
    answer = await app.delete(id_)
    assert (answer.status, answer.json) == (200, {"id": id_, "type": "file_deleted"})
    unknown = (404, "not_found_error", f"File `{id_}` not found.", None)
    assert error_of(await app.get(f"/{id_}")) == unknown
    assert error_of(await app.get(f"/{id_}/content")) == unknown
    assert error_of(await app.delete(id_)) == unknown
    assert (await app.listed(), await app.kept()) == ([], [])


@pytest.mark.promise("files.expiry")
@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (HOUR - 1, "Input should be greater than or equal to 3600"),
        (7_776_001, "Input should be less than or equal to 7776000"),
        ("soon", "Input should be a valid integer, unable to parse string as an integer"),
        ("", "Input should be a valid integer, unable to parse string as an integer"),
        ("9" * 5000, "Input should be a valid integer, unable to parse string as an integer"),
        ("-5", "Input should be greater than or equal to 3600"),
    ],
)
async def test_a_lifetime_that_no_file_has_is_refused(app: FilesApp, seconds: object, message: str) -> None:
    answer = await app.upload(b"a", expires=seconds)
    assert error_of(answer)[:3] == (400, "invalid_request_error", f"expires_in_seconds: {message}")
    assert (await app.listed(), await app.kept()) == ([], [])


@pytest.mark.promise("files.expiry")
@pytest.mark.parametrize("seconds", [HOUR, 7_776_000])
@pytest.mark.parametrize("first", [True, False])
async def test_a_lifetime_is_counted_from_the_upload_wherever_it_stands(
    app: FilesApp, seconds: int, first: bool
) -> None:
    app.clock.time = 1_770_000_000.0
    parts = [part("file", b"a", "a.txt", "text/plain"), part("expires_in_seconds", str(seconds).encode())]
    file = (await app.send(form(*(reversed(parts) if first else parts)))).json
    assert file["created_at"] == "2026-02-02T02:40:00.000000Z"
    assert file["expires_at"] == {
        HOUR: "2026-02-02T03:40:00.000000Z",
        7_776_000: "2026-05-03T02:40:00.000000Z",
    }[seconds]  # fmt: skip


@pytest.mark.promise("files.expiry")
async def test_an_expired_file_is_told_of_but_has_no_content(app: FilesApp) -> None:
    id_ = await app.id_of(b"a", expires=HOUR)
    file = await made(app, [b"a"], "a", "text/plain")
    row = (await app.rows.find(file.tenant, [file.id]))[0]
    assert isinstance(app.rows, MemoryFiles)
    await app.rows.remove(file.tenant, file.id, 0)
    expiring = row.created_at + HOUR * 1_000_000
    await app.rows.add(replace(row, expires_at=expiring), None)
    app.clock.time += HOUR - 0.001
    assert (await app.get(f"/{file.id}/content")).status == 200
    app.clock.time += 0.001
    expired = (404, "not_found_error", f"File `{file.id}` has expired.", "file_expired")
    assert error_of(await app.get(f"/{file.id}/content")) == expired
    assert (await app.get(f"/{id_}")).json["expires_at"] == "2026-02-02T03:40:00.000000Z"
    assert set(await app.listed()) == {id_, file.id}
    assert (await app.delete(id_)).json["type"] == "file_deleted"


@pytest.mark.promise("files.workspaces")
async def test_files_of_another_workspace_are_not_there() -> None:
    async with files_app(api_keys=KEYS) as app:
        id_ = await app.id_of(b"a", headers=MINE)
        theirs = await made(app, [b"b"], "b", "text/plain", await tenant_of(app, THEIRS))
        assert (await app.get(f"/{theirs.id}/content", headers=THEIRS)).status == 200
        for headers, other in ((THEIRS, id_), (MINE, theirs.id)):
            unknown = (404, "not_found_error", f"File `{other}` not found.", None)
            assert error_of(await app.get(f"/{other}", headers=headers)) == unknown
            assert error_of(await app.get(f"/{other}/content", headers=headers)) == unknown
            assert error_of(await app.delete(other, headers)) == unknown
            assert (await app.get(query=f"ids[]={other}", headers=headers)).json["data"] == []
            assert (await app.get(query=f"after_id={other}", headers={**headers, **BETA})).status == 400
        assert await app.listed(MINE) == [id_]
        assert await app.listed(THEIRS) == [theirs.id]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_files_are_for_those_who_have_a_key(method: str) -> None:
    async with files_app(api_keys=KEYS) as app:
        answer = await app.bridge.ask(method, "/v1/files", form(), headers={**FORM, "x-api-key": "no"})
        assert error_of(answer)[:2] == (401, "authentication_error")


@pytest.mark.promise("files.forms")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (form(), "file: Field required"),
        (form(part("expires_in_seconds", b"3600")), "file: Field required"),
        (form(part("file", b"a"), part("file", b"b")), "file: Extra inputs are not permitted"),
        (form(part("file", b"a"), part("purpose", b"user_data")), "purpose: Extra inputs are not permitted"),
        (form(part("files", b"a")), "files: Extra inputs are not permitted"),
        (part("file", b"a"), "The multipart body ends before its last boundary."),
        (b"", "The multipart body ends before its last boundary."),
        (b"no form", "The request body is not valid multipart/form-data."),
        (b'{"file": "a"}', "The request body is not valid multipart/form-data."),
    ],
)
async def test_what_is_wrong_with_a_form_is_said(app: FilesApp, body: bytes, message: str) -> None:
    assert error_of(await app.send(body))[:3] == (400, "invalid_request_error", message)
    assert (await app.listed(), await app.kept()) == ([], [])


@pytest.mark.promise("files.forms")
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"content-type": "application/json"}, "content-type: must be multipart/form-data, not application/json"),
        ({"content-type": "multipart/form-data"}, "content-type: multipart/form-data needs a boundary"),
        (
            {"content-type": f"multipart/form-data; boundary={'b' * 300}"},
            "content-type: the boundary of multipart/form-data is too long",
        ),
        (
            {"content-encoding": "gzip"},
            "content-encoding: gzip is not supported for uploads; send no encoding",
        ),
    ],
)
async def test_what_is_no_form_is_said_to_be_none(app: FilesApp, headers: dict[str, str], message: str) -> None:
    answer = await app.send(form(part("file", b"a")), headers)
    assert error_of(answer)[:3] == (400, "invalid_request_error", message)


@pytest.mark.promise("files.bounded")
async def test_a_file_that_says_that_it_is_too_large_is_not_read(app: FilesApp) -> None:
    answer = await app.send(b"", {"content-length": str(MOST_BYTES + 100_000)})
    assert error_of(answer)[:2] == (413, "request_too_large")
    assert answer.headers["connection"] == "close"


async def test_methods_that_files_do_not_have_are_named(app: FilesApp) -> None:
    answer = await app.bridge.ask("PUT", "/v1/files")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    head = await app.bridge.ask("HEAD", f"/v1/files/{(await made(app, [b'abc'], 'a', '')).id}/content")
    assert (head.status, head.headers["content-length"], head.body) == (200, "3", b"")
