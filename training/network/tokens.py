"""Examples as tokens, through the server's own rendering, and which of the tokens are to be learned."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from antiphon.dialogue.content import Text
from antiphon.dialogue.conversation import Conversation, Reasoning, Turn
from antiphon.ports.engine import ModelCard
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.weights.gguf import read_header
from training.corpus.examples import Example

Encode = Callable[[str], list[int]]

DAY: Final = date(2025, 1, 1)

_REPLY: Final = "<|im_start|>assistant\n"

_END: Final = "<|im_end|>"

_OPENED: Final = "<thinking>\n"

_SPAN: Final = re.compile(re.escape(_REPLY) + r"(.*?)" + re.escape(_END), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tokens:
    """An example's tokens, and for each whether it is learned."""

    ids: list[int]
    learned: list[bool]


def builder(model: Path) -> PromptBuilder:
    """What renders prompts for the model of the file, as the server does."""
    header = read_header(model)
    return PromptBuilder(
        ModelCard(
            "model",
            "model",
            header.context_length,
            header.chat_template,
            header.bos_token,
            header.eos_token,
            header.special_tokens,
        )
    )


def conversation(example: Example, turns: int | None = None) -> Conversation:
    """The first `turns` of the example, all by default, as the server has them."""
    said = example.turns if turns is None else example.turns[:turns]
    system = (Text(example.system),) if example.system else ()
    return Conversation(system, tuple(Turn(turn.speaker, turn.parts) for turn in said), tools=example.tools)  # type: ignore[arg-type]


def rendered(example: Example, prompts: PromptBuilder) -> str:
    """The whole example as text, the last answer's end included."""
    whole = conversation(example)
    # A conversation ends with the user: what comes behind the last answer is cut off again.
    asked = Conversation(whole.system, (*whole.turns, Turn("user", (Text("-"),))), tools=whole.tools)
    text = "".join(segment.text for segment in prompts.build(asked, today=DAY))
    return text[: text.rindex("<|im_start|>user\n")].rstrip("\n")


def tokenized(example: Example, prompts: PromptBuilder, encode: Encode) -> Tokens:
    """The example's tokens. What the server puts into a reply by itself, the opening of a thought, is not learned."""
    text = rendered(example, prompts)
    replies = [turn for turn in example.turns if turn.speaker == "assistant"]
    ids: list[int] = []
    learned: list[bool] = []
    at = 0

    def add(piece: str, learn: bool) -> None:
        more = encode(piece)
        ids.extend(more)
        learned.extend([learn] * len(more))

    for turn, found in zip(replies, _SPAN.finditer(text), strict=True):
        start = found.start(1)
        if isinstance(turn.parts[0], Reasoning):
            assert text.startswith(_OPENED, start)
            start += len(_OPENED)
        add(text[at:start], False)
        # An answer that was cut off ends nowhere: its end is no part of it.
        cut = turn.says == ("",)
        end = found.end(1) if cut else found.end()
        add(text[start:end], turn.taught)
        at = end
        if cut:
            break
    return Tokens(ids, learned)
