"""Files in the API's two shapes."""

from antiphon.ports.files import StoredFile
from antiphon.request.pages import cursor
from antiphon.service.files.library import Shelf
from antiphon.wire.files import BetaFileMetadata, BetaFilePage, FileMetadata, FilePage
from antiphon.wire.moments import moment


def metadata(file: StoredFile, *, beta: bool) -> BetaFileMetadata:
    """What a client is told of a file."""
    created = moment(file.created_at)
    if beta:
        return BetaFileMetadata(
            id=file.id,
            filename=file.filename,
            mime_type=file.mime_type,
            size_bytes=file.size,
            created_at=created,
            downloadable=file.downloadable,
        )
    return FileMetadata(
        id=file.id,
        filename=file.filename,
        mime_type=file.mime_type,
        size_bytes=file.size,
        created_at=created,
        downloadable=file.downloadable,
        expires_at=None if file.expires_at is None else moment(file.expires_at),
    )


def page(shelf: Shelf, *, beta: bool) -> FilePage | BetaFilePage:
    """A page of the list."""
    told = [metadata(file, beta=beta) for file in shelf.files]
    if beta:
        return BetaFilePage(
            data=told,
            has_more=shelf.more,
            first_id=told[0].id if told else None,
            last_id=told[-1].id if told else None,
        )
    end = shelf.end
    return FilePage(
        data=[file for file in told if isinstance(file, FileMetadata)], next_page=None if end is None else cursor(end)
    )
