"""A conversation as an engine-side value: what `request.told` makes and `render` reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from msgspec import Struct

from antiphon.dialogue.content import Document, SearchResult, Text
from antiphon.dialogue.media import Image
from antiphon.dialogue.thinking import OFF, Thinking
from antiphon.dialogue.tools import Call, Choice, Result, Tool, ToolChange

Speaker = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model thought at this place of its turn: whole, as it wrote it, whatever the client was shown."""

    text: str


Part = Text | Reasoning | Call | Result | Image | Document | SearchResult | ToolChange

_NOT_PLAIN = (Reasoning, Call, Result, ToolChange)


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's turn. Consecutive messages of one role are one turn; parts keep their order."""

    speaker: Speaker
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Origins:
    """Where in the request the parts of a conversation stand, by the paths of their blocks; empty: nowhere.

    `system`, `turns` and `tools` are as long as those of the conversation. `prefill`: its stretches, each with its
    length. A part that several blocks were put together to has the path of the last of them.
    """

    tools: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    turns: tuple[tuple[str, ...], ...] = ()
    prefill: tuple[tuple[str, int], ...] = ()


NOWHERE: Final = Origins()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A whole request's conversation.

    `system` is the top-level system prompt (one part a block); `turns` never ends with an assistant turn:
    a final assistant message is `prefill`, the beginning of the reply that the model must go on from. `shape`: a JSON
    Schema that the reply's text must satisfy, as JSON. `thinking`: how the reply thinks before it answers. `origins`:
    which block each part comes from; what the model is told does not depend on it.
    """

    system: tuple[Text, ...]
    turns: tuple[Turn, ...]
    prefill: str | None = None
    tools: tuple[Tool, ...] = ()
    choice: Choice = field(default_factory=Choice)
    shape: Mapping[str, Any] | None = None
    thinking: Thinking = OFF
    origins: Origins = field(default=NOWHERE, compare=False, repr=False)

    @property
    def offered(self) -> tuple[Tool, ...]:
        """The tools that the reply may call: of those that the model was told of, the ones that are still there."""
        return tuple(tool for tool in self.tools if not tool.withdrawn)

    @property
    def plain(self) -> bool:
        """Whether there are neither tools nor thoughts in it, and none to come."""
        return (
            not self.tools
            and self.thinking.budget == 0
            and not any(isinstance(part, _NOT_PLAIN) for turn in self.turns for part in turn.parts)
        )


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. None = the request is silent, the model's own setting holds."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


class Limits(Struct, frozen=True):
    """What ends a reply before the model does. `max_tokens` may be 0: read the prompt, write nothing."""

    max_tokens: int
    stop_sequences: tuple[str, ...] = ()
