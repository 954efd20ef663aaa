"""What a file is, by what was said of it, and by its bytes."""

import codecs
import re
from typing import Final

UNKNOWN: Final = "application/octet-stream"

TEXT: Final = "text/plain"

PDF: Final = "application/pdf"

IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

HEAD: Final = 4096
"""Bytes of a file's beginning that tell what it is."""

_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}", re.ASCII)
# What texts hold of these; others are of programs, not of people.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_PDF_MARK: Final = b"%PDF-"
_PDF_BEGINS_WITHIN: Final = 1024


def stored_type(declared: str, head: bytes) -> str:
    """The type under which a file is kept: the declared one, less its parameters; where that says nothing, by the
    file's first bytes."""
    said = declared.partition(";")[0].strip().lower()
    return said if said != UNKNOWN and _TYPE.fullmatch(said) else sniffed(head)


def sniffed(head: bytes) -> str:
    """What a file is whose first bytes, `HEAD` of them or all, are these."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(_PDF_MARK):
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return "application/zip"
    if _is_text(head):
        return TEXT
    # Readers of PDFs pass over what stands before the mark, and so do those who make them.
    return PDF if _PDF_MARK in head[:_PDF_BEGINS_WITHIN] else UNKNOWN


def text_of(data: bytes) -> str | None:
    """The text that a whole file is; None where it is none. UTF-8 is what texts are in, with or without its mark."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if _CONTROLS.search(text) else text


def _is_text(head: bytes) -> bool:
    try:
        # The last character may be cut.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head[:HEAD], final=len(head) < HEAD)
    except UnicodeDecodeError:
        return False
    return bool(text) and not _CONTROLS.search(text)
