"""What is said of a file that cannot be had, or cannot be kept. Source: Files page; official SDK, error codes."""

from typing import Final

from antiphon.errors import ApiError, InvalidRequest

MOST_BYTES: Final = 500 * 1024 * 1024
"""Of a file."""

_MEGABYTE: Final = 1024 * 1024


def unknown_file(id_: str) -> ApiError:
    """There is no such file, or it is another workspace's."""
    return ApiError("not_found_error", f"File `{_shown(id_)}` not found.")


def expired_file(id_: str) -> ApiError:
    """It has expired, and its content with it."""
    return ApiError("not_found_error", f"File `{_shown(id_)}` has expired.", details={"error_code": "file_expired"})


def not_downloadable() -> InvalidRequest:
    """Its owner has it: a file that was uploaded is not given out again."""
    return InvalidRequest("File is not downloadable", details={"error_code": "file_not_downloadable"})


def no_room() -> InvalidRequest:
    """All files together would be more than may be kept, or than there is room for."""
    return InvalidRequest(
        "File storage is full. Delete files that are no longer needed, and upload this one again.",
        details={"error_code": "storage_quota_exceeded"},
    )


def too_large_a_file(most: int = MOST_BYTES) -> ApiError:
    """The 413 of a file over the limit."""
    return ApiError(
        "request_too_large", f"Request exceeds the maximum size: a file has {most // _MEGABYTE} MB at most"
    )


def unsupported_document(kind: str) -> str:
    """The message for a file in a document block that is neither of its kinds."""
    return f"Unsupported document file format: {kind}. Only PDF and plaintext documents are supported."


def unsupported_image(kind: str) -> str:
    """The message for a file in an image block that is no picture."""
    return f"Unsupported image file format: {kind}. Only JPEG, PNG, GIF and WebP images are supported."


def _shown(id_: str) -> str:
    return id_ if len(id_) <= 100 else f"{id_[:100]}…"
