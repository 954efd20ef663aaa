"""Which texts a llama.cpp server's tokenizer reads as control tokens: its vocabulary is asked for, and tried.

The server shows the text of any token, and reads a text with control tokens or without; it has no list of them. So
the whole vocabulary is shown once, what may be the text of a control token is picked out of it, and each is read in
both ways. 49,152 tokens take 0.3 s.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from antiphon.engines.llamacpp.pictures import ENDS_OF_TURNS
from antiphon.engines.llamacpp.tokenizer import PromptTokenizer

TextOf = Callable[[Sequence[int]], Awaitable[str]]

_AT_ONCE: Final = 16_384
_BETWEEN: Final = "\n"
# No words, and no marks alone: the ends of such texts are marks, and there is a letter in them.
_MARKED: Final = re.compile(r"[^\s\w].*[^\W_].*[^\s\w]|_<EOT>", re.DOTALL)
_IN_ANGLES: Final = re.compile(r"<[^\s<>]+>")
_IN_TEMPLATES: Final = re.compile(r"<[^\s<>%]{1,64}>|\[[A-Z_/|]{1,32}\]")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`control`: control tokens by their texts. `special`: these, and all that are tokens wherever they stand and
    look like markup. `whole`: all of them were found, not only those of which something was known."""

    control: dict[str, int]
    special: frozenset[str]
    whole: bool


async def find_vocabulary(
    size: int, text_of: TextOf, tokenizer: PromptTokenizer, known: Collection[str], template: str
) -> Vocabulary:
    """The special tokens of a vocabulary of this `size`, 0 where that is not known. `known`: texts that are tried in
    any case, as those in the model's template are."""
    candidates = {text for text in (*known, *ENDS_OF_TURNS, *_IN_TEMPLATES.findall(template)) if text}
    if size:
        between = await tokenizer.tokens_of(_BETWEEN)
        async for text in _texts(size, text_of, between):
            candidates.update(part for part in text.split(_BETWEEN) if _MARKED.fullmatch(part))
    single = await tokenizer.single_tokens(candidates)
    control = await tokenizer.control_tokens(single)
    markup = {text for text in single if _IN_ANGLES.fullmatch(text)}
    return Vocabulary(control, frozenset(control) | markup, whole=bool(size))


async def _texts(size: int, text_of: TextOf, between: Sequence[int]) -> AsyncGenerator[str, None]:
    for start in range(0, size, _AT_ONCE):
        tokens: list[int] = []
        for token in range(start, min(start + _AT_ONCE, size)):
            tokens += (token, *between)
        yield await text_of(tokens)
