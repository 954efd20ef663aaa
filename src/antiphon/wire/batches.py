"""What travels of message batches: the batch, a page of them, a deleted one, a line of results.

Source: API reference, Message Batches; official SDK, types.
"""

from typing import Final, Literal

import msgspec

from antiphon.errors import ApiError
from antiphon.wire.reply import Message, ReplyModel

ProcessingStatus = Literal["in_progress", "canceling", "ended"]

ResultKind = Literal["succeeded", "errored", "canceled", "expired"]

CANCELED: Final = b'{"type":"canceled"}'
"""The result of a request that was not begun when its batch was canceled."""

EXPIRED: Final = b'{"type":"expired"}'
"""The result of a request that was not begun in a batch's day."""


class RequestCounts(ReplyModel, frozen=True, kw_only=True):
    """How the requests of a batch went; the sum is their number at all times."""

    processing: int
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0


class MessageBatch(ReplyModel, frozen=True, kw_only=True):
    """A batch. All ten keys are always there, null where there is nothing to say."""

    id: str
    type: Literal["message_batch"] = "message_batch"
    processing_status: ProcessingStatus
    request_counts: RequestCounts
    ended_at: str | None
    created_at: str
    expires_at: str
    archived_at: str | None
    cancel_initiated_at: str | None
    results_url: str | None


class MessageBatchPage(ReplyModel, frozen=True, kw_only=True):
    """A page of the list, newest first."""

    data: list[MessageBatch]
    has_more: bool
    first_id: str | None
    last_id: str | None


class DeletedMessageBatch(ReplyModel, frozen=True, kw_only=True):
    """What is left of a deleted batch."""

    id: str
    type: Literal["message_batch_deleted"] = "message_batch_deleted"


class SucceededResult(ReplyModel, frozen=True, kw_only=True):
    """A request that was answered."""

    type: Literal["succeeded"] = "succeeded"
    message: Message


def succeeded(message: Message) -> bytes:
    """The result that has this message."""
    return msgspec.json.encode(SucceededResult(message=message))


def errored(error: ApiError) -> bytes:
    """The result that has this error: the whole envelope, which names no request of its own."""
    details = {**(error.details or {}), "error_visibility": "user_facing"}
    inner = {"details": details, "type": error.type, "message": error.message}
    envelope = {"type": "error", "error": inner, "request_id": None}
    return msgspec.json.encode({"type": "errored", "error": envelope})


def line(custom_id: str, result: bytes) -> bytes:
    """A line of the results. The id needs no escapes: what it may be made of needs none in JSON."""
    return b'{"custom_id":"%b","result":%b}\n' % (custom_id.encode(), result)
