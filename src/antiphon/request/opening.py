"""The reply as it is before it has begun: what message_start shows, and what of it depends on model and headers.

Source: recorded replies, 2026, newer ones before older ones.
"""

from msgspec import UNSET

from antiphon.request.asked import Asked, Target
from antiphon.wire.gates import CLEARING
from antiphon.wire.reply import Diagnostics, Message, Usage
from antiphon.wire.request import CreateMessage


def opening(asked: Asked[CreateMessage], tokens: int, id_: str, diagnostics: Diagnostics | None = None) -> Message:
    """The reply `id_` to a prompt of so many `tokens`, with nothing in it yet."""
    return Message(
        model=asked.target.profile.id,
        id=id_,
        usage=Usage(
            input_tokens=tokens,
            output_tokens=0,
            service_tier="batch" if asked.context.batch else "standard",
            inference_geo=_place(asked.target),
            fallback_credit=UNSET if asked.credit is None else asked.credit.told(),
        ),
        context_management=None if asked.context.unlocks(CLEARING) else UNSET,
        diagnostics=diagnostics,
        input_transformations=asked.opened.thoughts.reported(asked.context),
    )


def _place(target: Target) -> str:
    """Where the reply is made, as names that could be sent to a region say it; the server's own models have none."""
    return "global" if target.profile.inference_geo and not target.own else "not_available"
