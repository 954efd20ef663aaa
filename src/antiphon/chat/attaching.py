"""Pictures, PDFs and texts from files and pipes, as blocks of a message."""

import base64
import shlex
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlparse

from antiphon.chat.problems import ChatError, Json

MOST_BYTES: Final = 32_000_000
"""A request may have so many; a larger file is refused before it is read."""

_PICTURES: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_PASTED: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf"})


def attached(path: Path) -> Json:
    """The block for a file, by what is in it and not by its name. Raises `ChatError`."""
    path = path.expanduser()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ChatError(f"{path}: larger than {MOST_BYTES // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as problem:
        raise ChatError(f"{path}: cannot be read: {problem.strerror}") from problem
    try:
        return block_of(data, path.name)
    except ChatError as problem:
        raise ChatError(f"{path}: {problem}") from problem


def block_of(data: bytes, title: str = "") -> Json:
    """The block for these bytes: a picture, a PDF, or a text. Raises `ChatError` for anything else."""
    titled = {"title": title} if title else {}
    picture = _picture(data)
    if picture:
        return {"type": "image", "source": _base64(data, picture)}
    if data.startswith(b"%PDF-"):
        return {"type": "document", "source": _base64(data, "application/pdf"), **titled}
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ChatError("neither a picture (PNG, JPEG, GIF, WebP) nor a PDF nor a text in UTF-8")
    if not text.strip():
        raise ChatError("the file is empty")
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}, **titled}


def pasted(text: str) -> list[Path]:
    """The pictures and PDFs whose paths were pasted, as terminals write what is dropped on them; else none."""
    if "\n" in text.strip():
        return []
    try:
        words = shlex.split(text.strip())
    except ValueError:
        return []
    paths = [_path(word) for word in words]
    fits = all(path.suffix.lower() in _PASTED and path.is_absolute() and path.is_file() for path in paths)
    return paths if fits else []


def _path(word: str) -> Path:
    if word.startswith("file://"):
        return Path(unquote(urlparse(word).path))
    return Path(word).expanduser()


def _picture(data: bytes) -> str | None:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _PICTURES if data.startswith(magic)), None)


def _base64(data: bytes, media_type: str) -> Json:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode("ascii")}
