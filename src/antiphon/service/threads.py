"""Message threads while they are served: what a request goes on with is claimed, and given back or gone on from.

Whatever happens to the store, a request that has all of its conversation is answered, and one that goes on with what
cannot be had gets the 404 from which clients recover.
"""

import logging
from collections.abc import Mapping
from typing import Any

from antiphon.errors import ApiError
from antiphon.ports.threads import Claim, StoreGone, ThreadStore, Unclaimed
from antiphon.request.intake import Document
from antiphon.request.threads import (
    already_continued,
    conversation_of,
    differing,
    in_flight,
    joined,
    kept,
    mismatch,
    not_found,
    thread_of,
    unsupported,
)
from antiphon.service.aside import aside, aside_by
from antiphon.service.intake import LARGE_BODY
from antiphon.wire.base import WireContext
from antiphon.wire.reply import Message
from antiphon.wire.settings import ThreadCreate

log = logging.getLogger(__name__)


class Turn:
    """One request of a thread until its end. `document`: the request with all of its conversation."""

    def __init__(self, threads: "Threads", tenant: str, document: Document, claim: Claim | None = None) -> None:
        self.document = document
        self._threads = threads
        self._tenant = tenant
        self._claim = claim
        self._over = False

    async def keep(self, message: Message) -> None:
        """The reply is whole: keep the conversation under its id. Never fails."""
        await self._threads.keep(self._tenant, self.document, message, self._claim)
        self._over = True

    async def aclose(self) -> None:
        """The request has ended; without a reply that was kept, what it went on with can be gone on with again."""
        if not self._over and self._claim is not None:
            self._over = True
            await self._threads.release(self._claim)


class Threads:
    """Begins turns, over a store; without one, threads are refused so that clients do without. `most`: bytes of a
    request that sends all of its conversation, which no kept one may exceed either."""

    def __init__(self, store: ThreadStore | None, most: int) -> None:
        self._store = store
        self._most = most

    async def begin(self, document: Document, context: WireContext) -> Turn | None:
        """The request's turn; None where it is none of a thread's, or not of the right shape. Raises `ApiError`."""
        asked = thread_of(document.value, context)
        if asked is None:
            return None
        if self._store is None:
            raise unsupported()
        if isinstance(asked, ThreadCreate):
            return Turn(self, context.tenant, document)
        claim = await self._claim(self._store, context.tenant, asked.previous_message_id)
        try:
            whole = await _whole(claim, document.value)
        except BaseException:
            await self.release(claim)
            raise
        return Turn(self, context.tenant, Document(whole, document.size + len(claim.data)), claim)

    async def keep(self, tenant: str, document: Document, message: Message, claim: Claim | None) -> None:
        """Keep a conversation with its last reply. Never fails: what is not kept is a 404 to the next request."""
        if self._store is None:
            return
        data = await aside_by(document.size, lambda: kept(document.value, message.content), large=LARGE_BODY)
        if len(data) > self._most:
            log.info("threads: a conversation of %d bytes is not kept: a request may have %d", len(data), self._most)
            data = None
        try:
            await self._store.keep(tenant, message.id, data, claim)
        except StoreGone as problem:
            log.warning("threads: a conversation is not kept, its client will have to send it again: %s", problem)

    async def release(self, claim: Claim) -> None:
        """Let others go on with it. Never fails."""
        if self._store is None:
            return
        try:
            await self._store.release(claim)
        except StoreGone as problem:
            log.warning("threads: a conversation cannot be given back, its client will have to send it: %s", problem)

    async def _claim(self, store: ThreadStore, tenant: str, id_: str) -> Claim:
        try:
            found = await store.claim(tenant, id_)
        except StoreGone as problem:
            log.warning("threads: a kept conversation cannot be had, its client will have to send it: %s", problem)
            raise not_found() from None
        if isinstance(found, Claim):
            return found
        raise _no_claim(found)


async def _whole(claim: Claim, document: Mapping[str, Any]) -> dict[str, Any]:
    conversation = await aside(conversation_of, claim.data, large=LARGE_BODY)
    if conversation is None:
        raise not_found()
    if fields := differing(conversation, document):
        raise mismatch(fields)
    return joined(conversation, document)


def _no_claim(why: Unclaimed) -> ApiError:
    match why:
        case "unknown":
            return not_found()
        case "continued":
            return already_continued()
        case "in flight":
            return in_flight()
