"""What a fetched file is, whatever it is called, and its text."""

import codecs
import re
from typing import Final, Literal

from antiphon.ports.fetch import Fetched

Content = Literal["html", "pdf", "text"]

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_PDF: Final = frozenset({"application/pdf", "application/x-pdf"})
_VAGUE: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_TEXT: Final = re.compile(
    r"text/[\w.+-]+|application/(?:[\w.-]+\+)?(?:json|xml|yaml)"
    r"|application/(?:x-)?(?:javascript|ecmascript|ndjson|x-ndjson|jsonl|sh|toml|yaml|tex|latex|sql|csv|markdown)",
    re.ASCII,
)
_BEGINS: Final = re.compile(
    rb"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_META: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_HEAD: Final = 2048

# The codecs that pages are written in. Python knows more, and some of those take quadratic time, or are none at all.
_CODECS: Final = re.compile(
    r"utf_8(?:_sig)?|utf_16(?:_[lb]e)?|ascii|latin_1|iso8859_\d+|cp125\d|cp437|cp85\d|cp866|cp874|cp932|cp949|cp950"
    r"|koi8_[ru]|mac_\w+|shift_jis\w*|euc_\w+|iso2022_jp|gb2312|gbk|gb18030|hz|big5\w*|johab|tis_620",
    re.ASCII,
)


def content_of(file: Fetched) -> Content | None:
    """What the file is: as it is called, unless its first bytes say otherwise. None: nothing that can be read."""
    if file.data.startswith(b"%PDF-"):
        # Only where a PDF is what one would expect: a page of text about PDFs may begin like one.
        return "pdf" if file.media_type in _PDF | _VAGUE | _HTML else _plain(file)
    if file.media_type in _PDF:
        return None
    if file.media_type in _HTML or (file.media_type in _VAGUE | {"text/plain"} and _BEGINS.match(file.data[:_HEAD])):
        return None if _is_binary(file) else "html"
    return _plain(file)


def text_of(file: Fetched) -> str:
    """The file's text, in whatever code it is written: marked, declared, or told in the page; else UTF-8, else
    Windows-1252, which the web means where it says nothing."""
    for mark, codec in _MARKS:
        if file.data.startswith(mark):
            return file.data.decode(codec, errors="replace")
    told = _META.search(file.data[:_HEAD])
    for name in (file.charset, "" if told is None else told[1].decode("ascii")):
        if codec := _codec(name):
            return file.data.decode(codec, errors="replace")
    try:
        return file.data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        # One broken character in a long page of UTF-8 does not make it something else.
        broken = wrong.start > _HEAD
        return file.data.decode("utf-8" if broken else "cp1252", errors="replace")


def _plain(file: Fetched) -> Content | None:
    declared = _TEXT.fullmatch(file.media_type) or file.media_type in _VAGUE
    if not declared or _is_binary(file):
        return None
    if file.media_type in _VAGUE:
        try:
            file.data.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return "text"


def _is_binary(file: Fetched) -> bool:
    """Whether there are bytes that no text has."""
    if file.data.startswith(tuple(mark for mark, _ in _MARKS)) or (_codec(file.charset) or "").startswith("utf_16"):
        return False
    return b"\0" in file.data[:_HEAD]


def _codec(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name.replace("-", "_") if name else ""
    except (LookupError, ValueError):
        return None
    if not _CODECS.fullmatch(found):
        return None
    # What calls itself Latin-1 or ASCII on the web is Windows-1252.
    return "cp1252" if found in ("iso8859_1", "latin_1", "ascii") else found
