"""What a file is."""

import pytest

from antiphon.request.files.types import HEAD, sniffed, stored_type, text_of

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.promise("files.judged-by-bytes")
@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (PNG, "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", "application/octet-stream"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3", "application/pdf"),
        (b"\r\n%PDF-1.4\n", "application/pdf"),
        (b"\0junk before it%PDF-1.4\n", "application/pdf"),
        (b"A text about %PDF-1.4, the mark of a format.", "text/plain"),
        (b"PK\x03\x04", "application/zip"),
        ("Größe: 3 m²".encode(), "text/plain"),
        (b"\xef\xbb\xbfa,b\r\n1,2\t\x0c", "text/plain"),
        ("Größe".encode("latin-1"), "application/octet-stream"),
        ("text".encode("utf-16"), "application/octet-stream"),
        (b"\x7fELF", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_first_bytes_tell_what_a_file_is(head: bytes, kind: str) -> None:
    assert sniffed(head) == kind


def test_a_text_is_one_although_its_beginning_ends_within_a_character() -> None:
    text = ("a" * (HEAD - 1) + "é" * 10).encode()
    assert sniffed(text[:HEAD]) == "text/plain"
    # A whole file that ends so is broken.
    assert sniffed(text[: HEAD - 2] + b"\xc3") == "application/octet-stream"


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ("application/pdf", "application/pdf"),
        ("Text/CSV; charset=utf-8", "text/csv"),
        ("application/octet-stream", "image/png"),
        ("", "image/png"),
        ("nonsense", "image/png"),
        ("a/b\r\nx: y", "image/png"),
        ("image/é", "image/png"),
    ],
)
def test_what_was_declared_is_kept_where_it_says_something(declared: str, kept: str) -> None:
    assert stored_type(declared, PNG) == kept


def test_a_whole_text_is_read_without_the_mark_at_its_beginning() -> None:
    assert text_of("\ufeffÄh…\r\n".encode()) == "Äh…\r\n"
    assert text_of(b"") == ""
    assert text_of(b"a\xff") is None
    assert text_of(b"a\0b") is None
