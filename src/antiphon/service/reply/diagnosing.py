"""Why a prompt cache was missed, for clients that ask: a request compared with the one of an earlier reply.

Remembered for a while, and only of clients that ask.
"""

from datetime import date
from typing import Any, Final

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.memory import Kept
from antiphon.request.asked import Asked
from antiphon.request.caching import prefixes
from antiphon.request.diagnosing import Fingerprint, Missed, fingerprint, missed
from antiphon.service.served import ServedModel
from antiphon.wire.reply import Diagnostics
from antiphon.wire.request import CreateMessage

MOST_BLOCKS: Final = 500_000
"""Of all requests that are remembered; some 50 bytes each."""


class Diagnoses:
    """Remembers requests by their replies, and compares those that go on from them."""

    def __init__(self, most: int = MOST_BLOCKS) -> None:
        self._known: Kept[tuple[str, str], Fingerprint] = Kept(most, lambda _, known: len(known.messages) + 8)

    def diagnose(
        self,
        asked: Asked[CreateMessage],
        served: ServedModel,
        conversation: Conversation,
        prompt: RenderedPrompt,
        today: date,
        id_: str,
    ) -> Diagnostics | None:
        """What the reply `id_` says of the request that it answers; None where nothing is asked or amiss."""
        wanted = asked.request.diagnostics
        if wanted is None:
            return None
        tenant = asked.context.tenant
        row = prefixes(asked, tenant)
        now = fingerprint(asked, row)
        before = wanted.previous_message_id
        known = None if before is None else self._known.get((tenant, before))
        self._known.put((tenant, id_), now)
        why = None if before is None else missed(known, now, row)
        if why is None:
            return None
        reason: dict[str, Any] = {"type": why.reason}
        if why.path is not None:
            reason["cache_missed_input_tokens"] = _behind(why, served, conversation, prompt, today)
        return Diagnostics(cache_miss_reason=reason)


def _behind(why: Missed, served: ServedModel, conversation: Conversation, prompt: RenderedPrompt, today: date) -> int:
    """About how many tokens of the prompt stand behind what is the same as before, by their share of its text."""
    total = len(prompt.tokens)
    if not why.path:
        return 0
    places = served.prompts.places(conversation, prompt.segments, today=today)
    extent = None if places is None else places.extents.get(why.path)
    length = len(prompt.text)
    if why.reason in ("model_changed", "tools_changed") or extent is None or not length:
        return total
    return total - total * min(extent[0], length) // length
