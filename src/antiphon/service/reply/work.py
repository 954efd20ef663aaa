"""A task, ready to run: with the prompt, the grammar and the model that it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.ports.guard import Watch
from antiphon.render.reading.citations import Maker
from antiphon.request.asked import Asked
from antiphon.request.sealed.compactions import Record
from antiphon.request.task import Task
from antiphon.service.reply.caching import Marked
from antiphon.service.reply.telling import Telling
from antiphon.service.served import ServedModel
from antiphon.wire.reply import Message
from antiphon.wire.request import CreateMessage


@dataclass(frozen=True, slots=True)
class OnDemand:
    """The reply is a summary, whose block carries under its seal what is kept beside it. `binding`: who wrote it."""

    changes: Sequence[dict[str, Any]]
    record: Record
    binding: str


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """A summary comes before the answer. `summary`: what it is made from; `tool_changes`: told with it, if any.

    `asked`: what is answered once the summary stands for its messages. `pauses`: the reply ends behind the summary.
    """

    summary: "Work"
    tool_changes: list[dict[str, Any]] | None
    asked: Asked[CreateMessage]
    pauses: bool


class Work(Struct, frozen=True):
    """What one reply is made from.

    `window`: tokens that prompt and reply may have together. `telling`: how thoughts are told; None exactly where the
    conversation's thinking is off. `compaction`: a summary is made. `cite`: makes the citations of what the model may
    cite; None: it may cite nothing. `asked`: what the answer goes on from where the server runs tools; None: none.
    `marked`: what of the prompt is to be cached; None: nothing. `watch`: reads the answer, and may decline it.
    """

    served: ServedModel
    task: Task
    prompt: RenderedPrompt
    window: int
    opening: Message
    new_call_id: Callable[[], str]
    grammar: str | None = None
    telling: Telling | None = None
    context_management: dict[str, Any] | UnsetType = UNSET
    compaction: OnDemand | AtThreshold | None = None
    cite: Maker | None = None
    asked: Asked[CreateMessage] | None = None
    marked: Marked | None = None
    watch: Watch | None = None

    @property
    def waits_to_open(self) -> bool:
        """Whether the reply's opening tells what only the engine can say: how much of the prompt it had read before.

        A summary is no part of what a reply opens with. Code that goes on may make a reply of nothing but its calls,
        which opens with all of them."""
        return (self.marked is not None or self.task.resumes_code) and self.compaction is None

    @property
    def read(self) -> int:
        """The tokens of input that it is charged: a prompt that fills the window was never given to the engine."""
        tokens = len(self.prompt.tokens)
        return tokens if tokens < self.window else 0
