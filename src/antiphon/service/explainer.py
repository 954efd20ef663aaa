"""Requests explained: planned on the road of every request and told, and no model runs."""

import logging
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from antiphon.errors import ApiError, EngineFault
from antiphon.ports.system import Clock
from antiphon.service.explaining import Explanation, explain
from antiphon.service.faults import engine_error
from antiphon.service.messages import MessageService
from antiphon.wire.base import WireContext
from antiphon.wire.headers import parse_betas

_HEARD: ContextVar[list[str] | None] = ContextVar("antiphon.heard", default=None)


@dataclass(frozen=True, slots=True)
class Explained:
    """What becomes of a request here. `refusal`: it is not answered. `there`: the API itself, which takes less on
    trust, refuses it. `warnings`: what the server's log says of it."""

    explanation: Explanation | None
    refusal: ApiError | None
    there: ApiError | None
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it, for programs."""
        found = self.explanation
        return {
            "answered": found is not None,
            "error": None if self.refusal is None else _error(self.refusal),
            "error_at_the_api": None if self.there is None else _error(self.there),
            "warnings": list(self.warnings),
            "explanation": None if found is None else {**asdict(found), "by_block": dict(found.by_block)},
        }


def _error(error: ApiError) -> dict[str, Any]:
    return {"status": error.status, **error.body("")["error"]}


class Explainer:
    """Explains requests to messages."""

    def __init__(self, messages: MessageService, clock: Clock) -> None:
        self._messages = messages
        self._clock = clock

    async def explain(self, body: bytes, context: WireContext, betas: Sequence[str]) -> Explained:
        """What a request comes to. `betas`: its beta headers as they were sent."""
        with Hearing() as heard:
            try:
                today = datetime.fromtimestamp(self._clock.now(), UTC).date()
                async with self._messages.planned(body, context) as (asked, work):
                    found = await explain(asked, work, today)
            except EngineFault as fault:
                return Explained(None, engine_error(fault), None, tuple(heard.said))
            except ApiError as error:
                return Explained(None, error, None, tuple(heard.said))
        return Explained(found, None, await self._there(body, context, betas), tuple(heard.said))

    async def _there(self, body: bytes, context: WireContext, betas: Sequence[str]) -> ApiError | None:
        """What the API itself says against a request that is answered here; None: nothing."""
        try:
            parse_betas(betas, strict=True)
            await self._messages.judge_strictly(body, context)
        except ApiError as error:
            return error
        return None


class Hearing(logging.Handler):
    """Keeps what the log is warned of within a block, of the block's own work alone."""

    _LOG: Final = "antiphon"

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One line of the log."""
        if _HEARD.get() is self.said:
            self.said.append(record.getMessage())

    def __enter__(self) -> "Hearing":
        self._before = _HEARD.set(self.said)
        logging.getLogger(self._LOG).addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(self._LOG).removeHandler(self)
        _HEARD.reset(self._before)
