"""A checked request, ready to run."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, UnsetType

from antiphon.dialogue.events import Compacted
from antiphon.dialogue.prompt import Conversation, Limits, Sampling
from antiphon.ports import RenderedPrompt
from antiphon.service.serving import ServedModel
from antiphon.service.telling import Telling
from antiphon.wire.reply import Message


@dataclass(frozen=True, slots=True)
class OnDemand:
    """The reply is a summary. `seal` makes the block of a summary's text and of the tokens that it took."""

    seal: Callable[[str, int], Compacted]


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """A summary comes before the answer. `summary`: what it is made from; `tool_changes`: told with it, if any.

    `go_on`: the work for the answer that is left when the summary stands for the conversation. `pauses`: the reply
    ends behind the summary.
    """

    summary: "Work"
    tool_changes: list[dict[str, Any]] | None
    go_on: Callable[[Compacted], Awaitable["Work"]]
    pauses: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What one reply is made from.

    `window`: tokens that prompt and reply may have together. `telling`: how thoughts are told; None exactly where the
    conversation's thinking is off. `estimates`: thinking deltas have the beta's key for an estimate of tokens.
    `compaction`: a summary is made. `itemized`: the usage is told piece by piece.
    """

    served: ServedModel
    prompt: RenderedPrompt
    conversation: Conversation
    limits: Limits
    sampling: Sampling
    window: int
    opening: Message
    new_call_id: Callable[[], str]
    members: Mapping[str, tuple[str, str]]
    grammar: str | None = None
    telling: Telling | None = None
    context_management: dict[str, Any] | UnsetType = UNSET
    estimates: bool = False
    compaction: OnDemand | AtThreshold | None = None
    itemized: bool = False
