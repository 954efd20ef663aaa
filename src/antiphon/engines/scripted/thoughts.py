"""Scripted replies in two works: the thought, and then the answer, asked for with the thought in the prompt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from antiphon.engines.scripted.script import Reply, pieces_of
from antiphon.engines.scripted.tokenizer import CONTROL, pieces

DEFAULT_THOUGHT: Final = "Let me think about this."
"""Of replies without a `thinking` of their own."""

MASK: Final = "\0"
"""Stands in a prompt before what looks like a control token and is none."""

_MOST: Final = 1000
_DEFAULT: Final = Reply(pieces_of(pieces(DEFAULT_THOUGHT)), closes=True)
_CONTROL: Final = re.compile(rf"(?<!{MASK})(?:{'|'.join(map(re.escape, CONTROL))})")


@dataclass(frozen=True, slots=True)
class _Thought:
    prompt: str
    written: str
    reply: Reply


class Thoughts:
    """The replies whose thought was written and whose answer was not asked for yet.

    Prompts are given as text, with `MASK` where a user wrote what looks like a control token.
    """

    def __init__(self) -> None:
        self._thoughts: list[_Thought] = []

    def add(self, prompt: str, written: str, reply: Reply) -> None:
        """A reply's thought was written behind this prompt. Of very many that nobody goes on from, the oldest go."""
        self._thoughts = [*self._thoughts, _Thought(prompt, written, reply)][-_MOST:]

    def take(self, prompt: str) -> Reply | None:
        """The reply that this prompt goes on with, if it is one; asked once for each thought."""
        found = [thought for thought in self._thoughts if _goes_on(thought, prompt)]
        if not found:
            return None
        # Two may think about one prompt at the same time.
        thought = max(found, key=lambda thought: prompt.startswith(thought.prompt + thought.written))
        self._thoughts.remove(thought)
        return thought.reply


def thought_of(reply: Reply, closings: Sequence[str]) -> Reply | None:
    """What is written when a thought is asked for: the reply's own or the usual one, with the model's first closing.

    None where the reply fails before it says anything: then it does so at once.
    """
    if reply.thinking is None and reply.stop_after == 0:
        return None
    thinking = reply.thinking or _DEFAULT
    if thinking.closes and thinking.stop_after is None:
        chunks = [*(piece.text for piece in thinking.pieces), closings[0]]
        thinking = replace(thinking, pieces=pieces_of(chunks))
    return replace(thinking, prefill=reply.prefill)


def _goes_on(thought: _Thought, prompt: str) -> bool:
    """Whether the prompt is that of the thought with more behind it, in the same turn."""
    more = prompt.removeprefix(thought.prompt)
    return len(prompt) > len(more) > 0 and _CONTROL.search(more) is None
