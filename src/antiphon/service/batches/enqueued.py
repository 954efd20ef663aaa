"""How many requests of batches may wait or run at once: of all callers, of a workspace, of a key."""

from collections.abc import Sequence
from typing import Final

from antiphon.config.tables.limits import LimitRule
from antiphon.errors import ApiError
from antiphon.ports.batches import Room
from antiphon.wire.base import WireContext

_ADVICE: Final = "Please wait until earlier batches have ended, or cancel some of them."


class Enqueued:
    """Knows the limits of the settings. `organization`: the id that errors name."""

    def __init__(self, rules: Sequence[LimitRule], organization: str) -> None:
        self._organization = organization
        self.heed(rules)

    def heed(self, rules: Sequence[LimitRule]) -> None:
        """Keep callers to these from now on."""
        self._rules = [rule for rule in rules if rule.enqueued_batch_requests]

    def rooms(self, context: WireContext) -> list[Room]:
        """What a new batch of this caller has to be within."""
        return [
            Room(
                rule.enqueued_batch_requests,
                None if rule.per == "organization" else context.tenant,
                context.key if rule.per == "key" else None,
            )
            for rule in self._rules
        ]

    def refusal(self, room: Room) -> ApiError:
        """What is said of a batch that is not. Nobody knows when there will be room, so that no client shall send it
        all again at once."""
        return ApiError(
            "rate_limit_error",
            f"This request would exceed your organization's rate limit of {room.most:,} enqueued batch requests "
            f"(org: {self._organization}). {_ADVICE}",
            headers={"x-should-retry": "false"},
        )
