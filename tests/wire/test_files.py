"""Files as they travel, beside the official SDK's types of them."""

import msgspec
import pytest
from anthropic.types import DeletedFile as SdkDeletedFile
from anthropic.types import FileMetadata as SdkFileMetadata
from anthropic.types.beta import BetaFileMetadata as SdkBetaFileMetadata

from antiphon.wire.files import BetaFileMetadata, BetaFilePage, DeletedFile, FileMetadata, FilePage
from antiphon.wire.moments import moment

BETA = BetaFileMetadata(
    id="file_1", filename="a", mime_type="a/b", size_bytes=1, created_at=moment(0), downloadable=False
)
FILE = FileMetadata(
    id="file_1",
    filename="a",
    mime_type="a/b",
    size_bytes=1,
    created_at=moment(0),
    downloadable=False,
    expires_at=None,
)


@pytest.mark.promise("files.metadata")
def test_a_file_has_the_keys_that_the_sdk_knows() -> None:
    assert set(msgspec.to_builtins(FILE)) == set(SdkFileMetadata.model_fields)
    # No file here is of a session, which is all that a scope may be.
    assert set(msgspec.to_builtins(BETA)) == set(SdkBetaFileMetadata.model_fields) - {"scope", "expires_at"}
    assert set(msgspec.to_builtins(DeletedFile(id="file_1"))) == set(SdkDeletedFile.model_fields)


@pytest.mark.promise("files.two-shapes")
def test_what_is_null_is_said() -> None:
    assert msgspec.to_builtins(FilePage(data=[FILE])) == {
        "data": [
            {
                "id": "file_1",
                "type": "file",
                "filename": "a",
                "mime_type": "a/b",
                "size_bytes": 1,
                "created_at": "1970-01-01T00:00:00.000000Z",
                "downloadable": False,
                "expires_at": None,
            }
        ],
        "next_page": None,
    }
    page = BetaFilePage(data=[], has_more=False, first_id=None, last_id=None)
    assert msgspec.to_builtins(page) == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.promise("files.metadata")
@pytest.mark.parametrize(
    ("microseconds", "said"),
    [
        (1_727_203_104_100_435, "2024-09-24T18:38:24.100435Z"),
        (1_727_203_104_000_000, "2024-09-24T18:38:24.000000Z"),
        (1_727_203_104_000_009, "2024-09-24T18:38:24.000009Z"),
    ],
)
def test_moments_have_six_digits_behind_the_second(microseconds: int, said: str) -> None:
    assert moment(microseconds) == said
