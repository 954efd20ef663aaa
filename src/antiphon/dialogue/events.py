"""What a reply is made of, in the order in which it happens: model text read by `render.reading`.

One event carries one kind of thing, so a delta that is half text and half call cannot be said.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

StopReason = Literal[
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    "compaction",
]


class TextDelta(Struct, frozen=True):
    """More of the answer's text; not empty."""

    text: str


class CiteStart(Struct, frozen=True):
    """The text from here on rests on a source, until its `CiteEnd`; it is not empty. `citation`: as it travels.

    Several in a row are of the same text."""

    citation: dict[str, Any]


class CiteEnd(Struct, frozen=True):
    """The text since `CiteStart` is complete."""


class ReasoningDelta(Struct, frozen=True):
    """More of a run of reasoning. An empty text only says that the run has begun, or goes on unseen.

    `tokens`: told instead of a text that the client is not shown: about so many more were thought.
    """

    text: str
    tokens: int | None = None


class ReasoningEnd(Struct, frozen=True):
    """A run of reasoning is complete; `signature` seals it."""

    signature: str


class RedactedReasoning(Struct, frozen=True):
    """A run of reasoning that the client may carry and not read; `data` seals it."""

    data: str


class CallStart(Struct, frozen=True):
    """A tool call begins. `id` is the block's (`toolu_…`, `srvtoolu_…`), made by the caller. `toolset`: whose member
    is called. `server`: the server itself runs the tool. `host`: on the MCP server of this name."""

    id: str
    name: str
    toolset: str | None = None
    server: bool = False
    host: str | None = None


class CallArguments(Struct, frozen=True):
    """More of the open call's input: a piece of a JSON text; the pieces join to one object."""

    partial_json: str


class CallEnd(Struct, frozen=True):
    """The open call is complete (or was cut, when a `Finish` for a limit follows). `whole`: its input is all that the
    model wrote; where not all can be input, what had come of it is completed."""

    whole: bool = True


class ServerAnswer(Struct, frozen=True):
    """What a call of the server's came to. `kind`: the type of its block; `content`: the block's, as it travels;
    `shown`: what the model is told in this reply instead; None: the same. `code`: the id of the code's own call,
    where code has called."""

    call_id: str
    kind: str
    content: Any
    shown: Any = None
    code: str | None = None


class Listed(Struct, frozen=True):
    """The tools that an MCP server has, as they travel."""

    host: str
    tools: list[dict[str, Any]]


class CodeCall(Struct, frozen=True):
    """Code that the model runs calls a tool of the client's; whole. `code`: the id of the code's own call. `server`:
    the server itself runs the tool."""

    id: str
    name: str
    input: Mapping[str, Any]
    code: str
    server: bool = False


class Compacted(Struct, frozen=True):
    """A summary stands for the conversation so far; it comes whole. `content` None: no summary came about.

    `signature`: the seal of one that was asked for. `tool_changes`: what system messages had changed in the tools,
    as blocks of the wire; None: not recorded.
    """

    content: str | None
    signature: str | None = None
    tool_changes: list[dict[str, Any]] | None = None


class FellBack(Struct, frozen=True):
    """A model has declined, and another one goes on. `declined` and `serves`: their names. `category`: why, as one of
    the API's."""

    declined: str
    serves: str
    category: str | None = None


class Charge(Struct, frozen=True):
    """How the tokens of what the model read are counted: all of them, each once.

    `input`: those that no mark has to do with. `read`: those that a mark had kept. `brief` and `lasting`: those that
    are kept from now on, for five minutes and for an hour.
    """

    input: int
    read: int = 0
    brief: int = 0
    lasting: int = 0

    def __add__(self, other: "Charge") -> "Charge":
        return Charge(
            self.input + other.input,
            self.read + other.read,
            self.brief + other.brief,
            self.lasting + other.lasting,
        )

    @property
    def written(self) -> int:
        """The tokens that are kept from now on."""
        return self.brief + self.lasting


class Begun(Struct, frozen=True):
    """The engine has begun, and it is known how much of the prompt it did not have to read again."""

    charge: Charge


IterationKind = Literal["message", "compaction", "fallback_message"]


class Iteration(Struct, frozen=True):
    """One of several pieces of work for a reply, and the tokens that it took. `model`: who did it, where that is
    told."""

    kind: IterationKind
    charge: Charge
    output_tokens: int
    model: str | None = None


class Finish(Struct, frozen=True):
    """The reply is over. `output_tokens` counts everything the model wrote, markup and end token included.

    `thinking_tokens`: how many of them were reasoning; None where the reply was not to think. `iterations`: told
    where the work is billed piece by piece; summaries are no part of `output_tokens`. `charge`: what the model read,
    all in all, where that is not what the reply began with. `tool_uses`: how often server tools ran, None where none
    did. `context_management`: what edits did to the context, where rounds that came later have done more than the
    first. `container`: where code has run, and until when it is kept. `input_transformations`: what became of what
    the client carries, where another model has gone on than the one that the reply opened with.
    """

    reason: StopReason
    output_tokens: int
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    thinking_tokens: int | None = None
    iterations: tuple[Iteration, ...] = ()
    charge: Charge | None = None
    tool_uses: Mapping[str, int] | None = None
    context_management: Mapping[str, Any] | None = None
    container: Mapping[str, Any] | None = None
    input_transformations: Sequence[dict[str, Any]] | None = None

    def spent(self, began: Charge) -> tuple[Charge, int]:
        """What was read, and how many tokens were written: summaries are part of both. `began`: what the reply began
        with."""
        summaries = [each for each in self.iterations if each.kind == "compaction"]
        written = self.output_tokens + sum(each.output_tokens for each in summaries)
        return sum((each.charge for each in summaries), self.charge or began), written


ReplyEvent = (
    Begun
    | TextDelta
    | CiteStart
    | CiteEnd
    | ReasoningDelta
    | ReasoningEnd
    | RedactedReasoning
    | CallStart
    | CallArguments
    | CallEnd
    | ServerAnswer
    | Listed
    | CodeCall
    | Compacted
    | FellBack
    | Finish
)
