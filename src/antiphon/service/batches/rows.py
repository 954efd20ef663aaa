"""One request of a batch: on the same road as a request that somebody waits for, to a line of the results."""

import logging
from dataclasses import dataclass
from typing import Final, Literal, cast

import orjson

from antiphon.errors import ApiError, EngineDied, InvalidRequest
from antiphon.ports.batches import Leased, Outcome
from antiphon.ports.usage import UsageRecord
from antiphon.request.batches.refused import IGNORED, refused
from antiphon.request.intake import document_of
from antiphon.service.aside import aside
from antiphon.service.intake import LARGE_BODY
from antiphon.service.messages import MessageService
from antiphon.wire.base import WireContext
from antiphon.wire.batches import errored, succeeded
from antiphon.wire.headers import Version

log = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 50
"""How often a request is taken that is never finished. Many of them were not begun, but only next, when who had taken
them ended; a request that itself ends a server is given up in the end."""

MOST_DEATHS: Final = 3
"""How often a request is begun in which the engine died each time."""

LOST: Final = errored(ApiError("api_error", "The request was interrupted too often. Please send it again."))
"""What such a request comes to."""


@dataclass(frozen=True, slots=True)
class Later:
    """The request has come to nothing yet. `why`: the engine cannot take work now, or was lost in the middle, or a
    limit lets none of its batch through for so many seconds (`wait`)."""

    leased: Leased
    why: Literal["unavailable", "died", "limited"]
    wait: float = 0.0


class Rows:
    """Runs requests of batches; what each comes to is in its account, if the service opens one."""

    def __init__(self, messages: MessageService) -> None:
        self._messages = messages

    async def run(self, leased: Leased) -> Outcome | Later:
        """What the request comes to. Never fails."""
        try:
            result, usage = await self._message(leased)
            return Outcome(leased, "succeeded", result, usage)
        except ApiError as error:
            if error.type == "overloaded_error":
                return Later(leased, "unavailable")
            if error.type == "rate_limit_error":
                return Later(leased, "limited", float(error.headers.get("retry-after", "1")))
            if isinstance(error.__cause__, EngineDied) and leased.attempts < MOST_DEATHS:
                return Later(leased, "died")
            return Outcome(leased, "errored", errored(error))
        except Exception:
            log.exception("request %d of batch %s failed", leased.number, leased.batch.id)
            return Outcome(leased, "errored", errored(ApiError("api_error", "Internal server error")))

    async def _message(self, leased: Leased) -> tuple[bytes, UsageRecord | None]:
        body = await aside(_admitted, leased.params, large=LARGE_BODY)
        said = leased.batch.said
        context = WireContext(
            version=cast("Version", said.version),
            betas=frozenset(said.betas),
            client=said.client,
            tenant=leased.batch.tenant,
            key=said.key,
            models=said.models,
            batch=True,
        )
        prepared = await self._messages.prepare(body, context)
        try:
            result = succeeded(await prepared.reply().whole())
            return result, None if prepared.account is None else prepared.account.record
        finally:
            await prepared.aclose()


def _admitted(params: bytes) -> bytes:
    """The body of the request, without what has no effect in a batch. Raises `InvalidRequest`."""
    document = document_of(params).value
    issue = refused(document)
    if issue is not None:
        raise InvalidRequest(issue.message, details=issue.details)
    ignored = [key for key in IGNORED if key in document]
    if not ignored:
        return params
    for key in ignored:
        del document[key]
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:  # too deep to be written, and to be accepted
        return params
