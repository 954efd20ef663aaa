"""A checked request, ready to run."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import UNSET, UnsetType

from antiphon.config import TurnLimits
from antiphon.dialogue.conversation import Conversation, Limits, Sampling
from antiphon.dialogue.events import Compacted
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.ports.system import Clock
from antiphon.render.reading.citations import Maker
from antiphon.request.tools.server_calls import Offered
from antiphon.service.reply.telling import Telling
from antiphon.service.served import ServedModel
from antiphon.wire.content.blocks import ServerToolUseBlock
from antiphon.wire.reply import Message, ReplyBlock


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


class GoOn(Protocol):
    """Makes the work for what is left of a reply."""

    async def __call__(
        self, content: Sequence[ReplyBlock], *, behind: RenderedPrompt, max_tokens: int, answered: bool
    ) -> "Work":
        """The work behind `content`, which the reply holds since this work was made, exactly as if the client had
        sent it back. `behind`: what the engine read last. `max_tokens`: so many are left. `answered`: the model has
        done what `tool_choice` asks. Raises `ApiError`."""
        ...


class Measure(Protocol):
    """Measures the prompt of a reply that goes on."""

    async def __call__(self, content: Sequence[ReplyBlock], *, behind: RenderedPrompt) -> int:
        """The tokens of the prompt behind `content`; calls in it that have no result yet wait. As `GoOn`."""
        ...


@dataclass(frozen=True, slots=True)
class Serving:
    """What the server needs to run the tools that a reply calls.

    `tools`: by name. `waiting`: calls of the conversation that are run first. `admit`: a result's block as it may be
    sent, sealed where it has to be, or None where it is no such block. `new_id`: makes the ids of calls.
    """

    tools: Mapping[str, Offered]
    waiting: tuple[ServerToolUseBlock, ...]
    limits: TurnLimits
    clock: Clock
    admit: Callable[[str, str, Any], Awaitable[Any]]
    new_id: Callable[[], str]
    measure: Measure
    go_on: GoOn


@dataclass(frozen=True, slots=True)
class Work:
    """What one reply is made from.

    `window`: tokens that prompt and reply may have together. `telling`: how thoughts are told; None exactly where the
    conversation's thinking is off. `estimates`: thinking deltas have the beta's key for an estimate of tokens.
    `compaction`: a summary is made. `itemized`: the usage is told piece by piece. `serving`: the server runs tools.
    `details`: the usage tells of thoughts also where there are none. `cite`: makes the citations of what the model
    may cite; None: it may cite nothing.
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
    details: bool = False
    compaction: OnDemand | AtThreshold | None = None
    itemized: bool = False
    serving: Serving | None = None
    cite: Maker | None = None
