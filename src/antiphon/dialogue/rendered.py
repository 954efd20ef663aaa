"""A prompt on its way to an engine: what it consists of, and the tokens that it came to."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from antiphon.dialogue.media import Image

_MARKUP: Final = re.compile(r"<[^\s<>]+>|\[[^\s\[\]]+\]")


class Segment(Struct, frozen=True):
    """A stretch of prompt text. In `markup` the model's special tokens are read as such; elsewhere a text
    that looks like one stays plain text, so that a user cannot write control tokens.

    `image`: the model sees this picture here; `text` is empty then."""

    text: str
    markup: bool = True
    image: Image | None = None


class RenderedPrompt(Struct, frozen=True):
    """A prompt ready for an engine: its segments in order, and their tokens as the engine's tokenizer made them.

    A picture stands in `tokens` as so many negative numbers as it takes places in the model's window.
    """

    segments: tuple[Segment, ...]
    tokens: tuple[int, ...]

    @property
    def text(self) -> str:
        """The prompt as one string (for logs and scripted engines; `tokens` is what the model reads)."""
        return "".join(segment.text for segment in self.segments)


def join_runs(segments: Sequence[Segment]) -> list[Segment]:
    """The segments with neighbours of one kind joined and empty ones left out, so that tokens form across seams.

    A picture stands alone.
    """
    runs: list[tuple[list[str], Segment]] = []
    for segment in segments:
        if segment.image is not None:
            runs.append(([], segment))
        elif segment.text and runs and runs[-1][1].image is None and runs[-1][1].markup == segment.markup:
            runs[-1][0].append(segment.text)
        elif segment.text:
            runs.append(([segment.text], segment))
    return [first if first.image is not None else Segment("".join(texts), first.markup) for texts, first in runs]


def looks_like_markup(token: str) -> bool:
    """Whether a token's text is such as models' markup is written with, whatever its vocabulary calls it."""
    return _MARKUP.fullmatch(token) is not None
