"""The name of an uploaded file. Source: Files page, filename rule; official SDK, upload."""

import re
from typing import Final

from antiphon.errors import InvalidRequest

LONGEST: Final = 255
"""Characters."""

_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\/\x00-\x1f]')
_PATH: Final = re.compile(r"[\\/]")
_FOLDERS: Final = (".", "..")

_EXTENSIONS: Final = {
    "application/gzip": ".gz",
    "application/json": ".json",
    "application/msword": ".doc",
    "application/pdf": ".pdf",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/xml": ".xml",
    "application/zip": ".zip",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
}


def kept_name(sent: str, mime_type: str) -> str:
    """The last part of the name that was sent; `unnamed`, and what the type's files end in, where there is none.

    Raises `InvalidRequest` for a name that no file may have.
    """
    name = _PATH.split(sent)[-1]
    if not name:
        return f"unnamed{_EXTENSIONS.get(mime_type, '')}"
    if len(name) > LONGEST:
        raise InvalidRequest(f"file: filename should have at most {LONGEST} characters")
    if name in _FOLDERS or _FORBIDDEN.search(name):
        raise InvalidRequest(
            'file: filename contains invalid characters. The characters < > : " | ? * \\ / and control characters '
            "are not allowed"
        )
    return name
