"""Files as the API tells of them, in both of its shapes. No behaviour. Source: Files page; API reference, Files."""

from typing import Literal

import msgspec

from antiphon.wire.reply import ReplyModel


class BetaFileMetadata(ReplyModel, frozen=True, kw_only=True):
    """A file, as clients of the beta know it."""

    id: str
    type: Literal["file"] = "file"
    filename: str
    mime_type: str
    size_bytes: int
    created_at: str
    downloadable: bool


class FileMetadata(BetaFileMetadata, frozen=True, kw_only=True):
    """A file. `expires_at`: None, and told as null, where it does not expire."""

    expires_at: str | None


class FilePage(ReplyModel, frozen=True, kw_only=True):
    """A page of the list, newest first. `next_page`: what asks for the next one; null behind the last."""

    data: list[FileMetadata] = msgspec.field(default_factory=list[FileMetadata])
    next_page: str | None = None


class BetaFilePage(ReplyModel, frozen=True, kw_only=True):
    """A page of the list as clients of the beta walk it, newest first."""

    data: list[BetaFileMetadata] = msgspec.field(default_factory=list[BetaFileMetadata])
    has_more: bool
    first_id: str | None
    last_id: str | None


class DeletedFile(ReplyModel, frozen=True, kw_only=True):
    """A file that is no longer there."""

    id: str
    type: Literal["file_deleted"] = "file_deleted"
