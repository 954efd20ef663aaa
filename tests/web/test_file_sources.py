"""Uploaded files in requests: named by id in images and documents, in turns and in tools' results."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from antiphon.dialogue.media import Image
from antiphon.ports.media import ImageLimit, MediaProblem, Pdf, PdfLimit, PdfPage
from antiphon.request.media.wording import MOST_BYTES
from antiphon.testing.bridge import Answer
from tests.service.media.doubles import Read, StandInReader
from tests.web.files_app import BETA, KEYS, MINE, THEIRS, FilesApp, error_of, files_app

Json = dict[str, Any]

FACT = "The bill was 17 thalers."
SCRIPT = f"[[reply]]\nprompt = '{FACT}'\ntext = 'Read.'\n[[reply]]\ntext = 'Lost.'\n"
PDF = b"%PDF-1.7\n...\xff"
PNG = b"\x89PNG\r\n\x1a\n..."
HOLDS: dict[bytes, Read] = {PDF: Pdf((PdfPage("A page before."), PdfPage(FACT))), PNG: Image(PNG, 200, 100)}
MARK = {"cache_control": {"type": "ephemeral"}}


@pytest.fixture
async def app() -> AsyncIterator[FilesApp]:
    async with files_app(SCRIPT, reader=StandInReader(HOLDS)) as app:
        yield app


def document(id_: str, **more: Any) -> Json:
    return {"type": "document", "source": {"type": "file", "file_id": id_}, **more}


def image(id_: str, **more: Any) -> Json:
    return {"type": "image", "source": {"type": "file", "file_id": id_}, **more}


def in_a_turn(*content: Json) -> list[Json]:
    return [{"role": "user", "content": [*content, {"type": "text", "text": "How much was it?"}]}]


def in_a_result(*content: Json) -> list[Json]:
    call: Json = {"type": "tool_use", "id": "toolu_1", "name": "get_bill", "input": {}}
    result: Json = {"type": "tool_result", "tool_use_id": "toolu_1", "content": list(content)}
    return [*in_a_turn(), {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


def in_a_document(*content: Json) -> list[Json]:
    return in_a_turn({"type": "document", "source": {"type": "content", "content": list(content)}})


async def ask(app: FilesApp, messages: list[Json], headers: dict[str, str] | None = None, **more: Any) -> Answer:
    asked = {"model": "claude-opus-4-8", "max_tokens": 10, "messages": messages, **more}
    return await app.bridge.post(asked, headers=headers)


async def refused(app: FilesApp, messages: list[Json], headers: dict[str, str] | None = None) -> Any:
    """With what a request is refused, and its count too."""
    answer = await ask(app, messages, headers)
    count = await app.bridge.ask(
        "POST",
        "/v1/messages/count_tokens",
        {"model": "claude-opus-4-8", "messages": messages},
        headers=headers,
    )
    assert error_of(count) == error_of(answer)
    return error_of(answer)


async def read(app: FilesApp, messages: list[Json], **more: Any) -> None:
    """The model answers from the file, and a count counts it."""
    answer = await ask(app, messages, **more)
    assert answer.status == 200, answer.body
    assert answer.json["content"] == [{"type": "text", "text": "Read."}]
    count = await app.bridge.ask(
        "POST", "/v1/messages/count_tokens", {"model": "claude-opus-4-8", "messages": messages}
    )
    assert count.json["input_tokens"] == answer.json["usage"]["input_tokens"]


@pytest.mark.promise("files.used-by-id")
@pytest.mark.parametrize("wrapped", [in_a_turn, in_a_result])
@pytest.mark.parametrize("data", [pytest.param(PDF, id="PDF"), pytest.param(FACT.encode(), id="text")])
@pytest.mark.parametrize("headers", [{}, BETA])
async def test_the_model_answers_from_an_uploaded_document(
    app: FilesApp, wrapped: Callable[..., list[Json]], data: bytes, headers: dict[str, str]
) -> None:
    id_ = await app.id_of(data, headers=headers)
    await read(app, wrapped(document(id_)), headers=headers)


@pytest.mark.promise("files.used-by-id")
async def test_title_and_context_of_an_uploaded_document_are_told(app: FilesApp) -> None:
    id_ = await app.id_of(b"Nothing.")
    script = "[[reply]]\nprompt = 'Bills of 1848'\ntext = 'Title.'\n[[reply]]\ntext = 'Lost.'\n"
    async with files_app(script, rows=app.rows, objects=app.objects) as other:
        answer = await ask(other, in_a_turn(document(id_, title="Bills of 1848", context=FACT)))
    assert answer.json["content"][0]["text"] == "Title."
    await read(app, in_a_turn(document(id_, title="Bills", context=FACT)))


@pytest.mark.promise("files.used-by-id")
async def test_citations_of_an_uploaded_document_are_judged_as_those_of_any(app: FilesApp) -> None:
    id_ = await app.id_of(FACT.encode())
    text: Json = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": FACT}}
    cited = {"citations": {"enabled": True}}
    ours, any_ = await ask(app, in_a_turn(document(id_, **cited))), await ask(app, in_a_turn({**text, **cited}))
    assert (ours.status, ours.json.get("error")) == (any_.status, any_.json.get("error"))


@pytest.mark.promise("files.used-by-id", "files.judged-by-bytes")
@pytest.mark.parametrize("wrapped", [in_a_turn, in_a_result, in_a_document])
async def test_an_uploaded_picture_is_shown_whatever_it_was_said_to_be(
    app: FilesApp, wrapped: Callable[..., list[Json]]
) -> None:
    messages = wrapped(image(await app.id_of(PNG, "a.txt", "text/plain")))
    answer = await ask(app, messages)
    assert answer.status == 200, answer.body
    assert [data for data, _, _ in app.reader.asked] == [PNG]
    without = await ask(app, wrapped({"type": "text", "text": "a"}))
    assert answer.json["usage"]["input_tokens"] > without.json["usage"]["input_tokens"]


@pytest.mark.promise("files.judged-by-bytes")
@pytest.mark.parametrize(
    ("data", "kind"), [(PDF, "application/pdf"), (b"words", "text/plain"), (b"\0", "application/octet-stream")]
)
@pytest.mark.parametrize("wrapped", [in_a_turn, in_a_result, in_a_document])
async def test_what_is_no_picture_is_no_image(
    app: FilesApp, data: bytes, kind: str, wrapped: Callable[..., list[Json]]
) -> None:
    id_ = await app.id_of(data, "a.png", "image/png")
    message = f"Unsupported image file format: {kind}. Only JPEG, PNG, GIF and WebP images are supported."
    assert (await refused(app, wrapped(image(id_))))[:3] == (400, "invalid_request_error", message)


@pytest.mark.promise("files.judged-by-bytes")
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\0\1\2", "application/octet-stream"),
        (b"PK\x03\x04", "application/zip"),
        (b"a" * 5000 + b"\xff", "application/octet-stream"),
    ],
)
@pytest.mark.parametrize("wrapped", [in_a_turn, in_a_result])
async def test_what_is_neither_pdf_nor_text_is_no_document(
    app: FilesApp, data: bytes, kind: str, wrapped: Callable[..., list[Json]]
) -> None:
    id_ = await app.id_of(data, "a.pdf", "application/pdf")
    message = f"Unsupported document file format: {kind}. Only PDF and plaintext documents are supported."
    assert (await refused(app, wrapped(document(id_))))[:3] == (400, "invalid_request_error", message)


@pytest.mark.promise("files.deleted")
@pytest.mark.parametrize("wrapped", [in_a_turn, in_a_result])
async def test_a_file_that_is_not_there_is_a_404(app: FilesApp, wrapped: Callable[..., list[Json]]) -> None:
    unknown = (404, "not_found_error", "File `file_unknown` not found.", None)
    assert await refused(app, wrapped(document("file_unknown"))) == unknown
    id_ = await app.id_of(FACT.encode())
    await app.delete(id_)
    assert await refused(app, wrapped(document(id_))) == (404, "not_found_error", f"File `{id_}` not found.", None)


@pytest.mark.promise("files.expiry")
async def test_an_expired_file_is_no_longer_read(app: FilesApp) -> None:
    id_ = await app.id_of(FACT.encode(), expires=3600)
    await read(app, in_a_turn(document(id_)))
    app.clock.time += 3600
    expired = (404, "not_found_error", f"File `{id_}` has expired.", "file_expired")
    assert await refused(app, in_a_turn(document(id_))) == expired


@pytest.mark.promise("files.workspaces")
async def test_files_of_another_workspace_are_not_read() -> None:
    async with files_app(SCRIPT, api_keys=KEYS) as app:
        id_ = await app.id_of(FACT.encode(), headers=MINE)
        unknown = (404, "not_found_error", f"File `{id_}` not found.", None)
        assert await refused(app, in_a_turn(document(id_)), THEIRS) == unknown
        assert (await ask(app, in_a_turn(document(id_)), MINE)).json["content"][0]["text"] == "Read."


@pytest.mark.promise("files.bounded")
async def test_files_that_are_too_large_to_be_told_are_not_read(app: FilesApp) -> None:
    id_ = await app.id_of(b"a" * (32 * 1024 * 1024 + 1))
    assert (await refused(app, in_a_turn(document(id_))))[2] == (
        "messages.0.content.0.document.source.file: file exceeds 32 MB maximum: 33554433 bytes > 33554432 bytes"
    )


@pytest.mark.promise("files.bounded")
async def test_many_large_texts_are_too_large_together(app: FilesApp) -> None:
    ids = [await app.id_of(b"%d" % n + b"a" * (30 * 1024 * 1024)) for n in range(3)]
    answer = await ask(app, in_a_turn(*(document(id_) for id_ in ids)))
    assert error_of(answer)[:2] == (413, "request_too_large")


@pytest.mark.promise("files.used-by-id")
async def test_a_file_that_a_pdf_reader_cannot_read_is_refused_by_its_place(app: FilesApp) -> None:
    reader = StandInReader({PDF: MediaProblem("pdf", "locked")})
    async with files_app(SCRIPT, rows=app.rows, objects=app.objects, reader=reader) as other:
        id_ = await other.id_of(PDF)
        assert (await refused(other, in_a_turn(document(id_))))[2] == (
            "messages.0.content.0.pdf.source.file: The PDF specified is password protected."
        )


async def test_a_pdf_is_read_once_although_it_was_uploaded_twice(app: FilesApp) -> None:
    first, second = await app.id_of(PDF), await app.id_of(PDF)
    await read(app, in_a_turn(document(first)))
    await read(app, in_a_turn(document(second)))
    assert [data for data, _, _ in app.reader.asked] == [PDF]


async def test_what_must_be_a_pdf_is_not_taken_for_the_text_that_it_is(app: FilesApp) -> None:
    id_ = await app.id_of(FACT.encode())
    await read(app, in_a_turn(document(id_)))
    limits = [limit for _, _, limit in app.reader.asked]
    assert not [limit for limit in limits if isinstance(limit, ImageLimit | PdfLimit)]


@pytest.mark.promise("files.cached-by-content")
async def test_the_same_content_under_another_id_is_read_from_the_cache(app: FilesApp) -> None:
    data = (FACT + " word" * 5000).encode()
    first, second, other = await app.id_of(data), await app.id_of(data), await app.id_of(data + b"!")
    written = (await ask(app, in_a_turn(document(first, **MARK)))).json["usage"]["cache_creation_input_tokens"]
    assert written > 1000

    async def used(id_: str) -> tuple[int, int]:
        usage = (await ask(app, in_a_turn(document(id_, **MARK)))).json["usage"]
        return usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]

    assert await used(second) == (0, written)
    again, read_ = await used(other)
    assert (again > 1000, read_) == (True, 0)


@pytest.mark.promise("files.used-by-id")
async def test_a_thread_goes_on_with_a_file_of_its_first_message(app: FilesApp) -> None:
    beta = {"anthropic-beta": "message-threads-2026-08-12"}
    id_ = await app.id_of(FACT.encode())
    first = await ask(app, in_a_turn(document(id_)), beta, thread={"type": "create"})
    assert first.status == 200, first.body
    thread = {"type": "continue", "previous_message_id": first.json["id"]}
    more = [{"role": "user", "content": "And now?"}]
    second = await ask(app, more, beta, thread=thread)
    assert second.json["content"][0]["text"] == "Read."
    assert second.json["usage"]["input_tokens"] > first.json["usage"]["input_tokens"]
    await app.delete(id_)
    thread = {"type": "continue", "previous_message_id": second.json["id"]}
    gone = await ask(app, more, beta, thread=thread)
    assert error_of(gone)[:3] == (404, "not_found_error", f"File `{id_}` not found.")


@pytest.mark.promise("files.bounded")
async def test_an_image_over_the_limit_is_refused_unread(app: FilesApp) -> None:
    seeing = StandInReader()
    async with files_app(SCRIPT, rows=app.rows, objects=app.objects, reader=seeing) as other:
        id_ = await other.id_of(PNG + bytes(MOST_BYTES))
        answer = await ask(other, in_a_turn(image(id_)))
        assert answer.status == 400
        assert seeing.asked == []


@pytest.mark.promise("citations.file-id")
async def test_a_citation_of_an_uploaded_file_has_its_id(app: FilesApp) -> None:
    script = "[[reply]]\ntext = '''<cite document=\"1\" at=\"1\">so it says</cite>'''\n"
    async with files_app(script) as cited:
        uploaded = await cited.upload(b"One. Two.", "a.txt", "text/plain")
        id_ = uploaded.json["id"]
        answer = await ask(cited, in_a_turn(document(id_, citations={"enabled": True})), max_tokens=100)
        [block] = answer.json["content"]
        [citation] = block["citations"]
        assert (citation["file_id"], citation["cited_text"]) == (id_, "One. ")
