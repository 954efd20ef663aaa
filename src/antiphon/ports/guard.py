"""Somebody who may decline: a request before it is answered, a reply while it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from antiphon.dialogue.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Decline:
    """Why nothing more is said. `category`: one of the API's, None where none fits. Source: API reference, Stop
    reasons, refusal."""

    category: str | None = None
    explanation: str | None = None

    def details(self) -> dict[str, Any]:
        """What a reply's `stop_details` say."""
        return {"type": "refusal", "category": self.category, "explanation": self.explanation}


class Watch(Protocol):
    """Reads one reply while it is written."""

    def add(self, texts: Sequence[str]) -> tuple[int, Decline] | None:
        """More of the reply's text, which nobody has seen yet: how many of these pieces may be seen, and why the next
        one never is; None: nothing is declined."""
        ...


class Guard(Protocol):
    """Judges what users ask and what models answer."""

    async def judge(self, conversation: Conversation, names: Sequence[str]) -> Decline | None:
        """Whether a request is declined. `names`: of the model that is to answer. Raises `ApiError` where that cannot
        be said."""
        ...

    def watch(self, names: Sequence[str]) -> Watch | None:
        """A reader of one reply of a model with these names; None where its replies are not read."""
        ...
