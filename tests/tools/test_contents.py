"""What a fetched file is, whatever it calls itself, and its text."""

import pytest

from antiphon.ports.fetch import Fetched
from antiphon.tools.contents import Content, content_of, text_of


def file(data: bytes, media_type: str = "", charset: str = "") -> Fetched:
    return Fetched("https://a.example/", media_type, charset, data)


KINDS: list[tuple[bytes, str, Content | None]] = [
    (b"<p>x", "text/html", "html"),
    (b"<p>x", "application/xhtml+xml", "html"),
    (b"  <!-- hi --> <!DOCTYPE html><p>x", "text/plain", "html"),
    (b"<html>", "", "html"),
    (b"<p>x", "text/plain", "text"),
    (b"# x", "text/markdown", "text"),
    (b"{}", "application/json", "text"),
    (b"{}", "application/ld+json", "text"),
    (b"<a/>", "application/rss+xml", "text"),
    (b"a: 1", "application/yaml", "text"),
    (b"plain", "", "text"),
    (b"plain", "application/octet-stream", "text"),
    (b"%PDF-1.7", "application/pdf", "pdf"),
    (b"%PDF-1.7", "application/octet-stream", "pdf"),
    (b"%PDF-1.7", "text/html", "pdf"),
    (b"%PDF-1.7 begins a PDF", "text/plain", "text"),
    (b"no", "application/pdf", None),
    (b"\xff\xfeh\0i\0", "text/plain", "text"),
    (b"h\0i\0", "text/plain", None),
    (b"GIF89a", "image/gif", None),
    (b"PK\x03\x04\0", "application/zip", None),
    (b"PK\x03\x04\0", "text/html", None),
    (b"\xd0\xcf\x11\xe0", "application/octet-stream", None),
    (b"x", "video/mp4", None),
    (b"x", "application/x-evil\r\n", None),
]


@pytest.mark.promise("web-tools.content-types")
@pytest.mark.parametrize(("data", "media_type", "kind"), KINDS)
def test_a_file_is_what_it_calls_itself_unless_its_bytes_say_otherwise(
    data: bytes, media_type: str, kind: str | None
):
    assert content_of(file(data, media_type)) == kind


def test_bytes_of_sixteen_bits_are_text_where_they_are_declared():
    assert content_of(file("hi".encode("utf-16-le"), "text/plain", "utf-16le")) == "text"


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("Ünï".encode(), "", "Ünï"),
        ("Ünï".encode("cp1252"), "", "Ünï"),
        ("Ünï".encode("cp1252"), "iso-8859-1", "Ünï"),
        ("“q”".encode("cp1252"), "latin1", "“q”"),
        ("猫".encode("shift_jis"), "Shift_JIS", "猫"),
        ("猫".encode("gb18030"), "gb2312", "猫"),
        ("кот".encode("koi8-r"), "koi8-r", "кот"),
        (b"\xef\xbb\xbfx", "iso-8859-1", "x"),
        ("猫".encode("utf-16"), "utf-8", "猫"),
        (b'<meta charset="windows-1251">' + "кот".encode("cp1251"), "", '<meta charset="windows-1251">кот'),
        (b"x\xff", "utf-8", "x\ufffd"),
        (b"x" * 3000 + "Ü".encode() + b"\xff", "", "x" * 3000 + "Ü\ufffd"),
        ("Ü".encode(), "no-such-charset", "Ü"),
        # Codecs that are none of the web's.
        (b"616263", "hex", "616263"),
        (b"abc-", "punycode", "abc-"),
        (b"abc", "idna", "abc"),
        (b"cnot13", "rot13", "cnot13"),
        (b"+AGEAYg-", "utf-7", "+AGEAYg-"),
        (b"\\x41", "unicode_escape", "\\x41"),
        (b"x", "utf-8\x00", "x"),
    ],
)
def test_a_text_is_read_in_its_own_code(data: bytes, charset: str, text: str):
    assert text_of(file(data, "text/html", charset)) == text
