"""The guard of a server: its rules first, which cost nothing, then the model."""

import logging
from collections.abc import Sequence
from typing import Final

from antiphon.config import GuardRule, GuardSettings
from antiphon.dialogue.conversation import Conversation
from antiphon.errors import ApiError
from antiphon.ports.guard import Decline, Watch
from antiphon.service.aside import aside
from antiphon.service.guard.heard import heard
from antiphon.service.guard.judge import CannotJudgeError, Judge
from antiphon.service.guard.rules import Rules
from antiphon.service.served import fits

log = logging.getLogger(__name__)

_LARGE: Final = 512 * 1024


class OwnersGuard:
    """A `Guard` of rules and a judge; either may be missing."""

    def __init__(self, rules: Rules, judge: Judge | None, settings: GuardSettings) -> None:
        self._rules = rules
        self._judge = judge
        self._settings = settings

    def heed(self, rules: Sequence[GuardRule]) -> None:
        """Go by these from now on; replies that have begun end by those of their beginning. Raises `ConfigError`."""
        self._rules = Rules(rules)

    async def judge(self, conversation: Conversation, names: Sequence[str]) -> Decline | None:
        """See `Guard`."""
        declined, rules = None, self._rules.for_requests(names)
        if rules is not None:
            declined = await aside(rules, heard(conversation), large=_LARGE)
        if declined is not None or self._judge is None or not fits(self._settings.models, names):
            return declined
        try:
            unsafe = await self._judge.unsafe(conversation)
        except CannotJudgeError as problem:
            log.warning("the guard model %s cannot judge a request: %s", self._settings.model, problem)
            if self._settings.failure == "allow":
                return None
            raise ApiError("overloaded_error", "Overloaded") from None
        category = self._settings.category
        return Decline(None if category == "none" else category) if unsafe else None

    def watch(self, names: Sequence[str]) -> Watch | None:
        """See `Guard`."""
        return self._rules.watch(names)
