"""Replies that a grammar allows, written by dice: what a model of no sense at all would say under it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

END = 256
_MORE = (
    "</parameter>",
    "</arg_value>",
    "<parameter",
    "</invoke>",
    "</parameter>\n</invoke>",
    '</parameter>\n<parameter name="',
    "</parameter>\n</function>\n</tool_call>",
    "</parameter>\n<parameter=",
    "</arg_value>\n</tool_call>",
    "</arg_value>\n<arg_key>",
    "\n",
    '"',
    '"}',
    "}",
    "]",
    ", ",
    "true",
    "12",
    "é",
    "the ",
)


@dataclass(frozen=True)
class Bytes:
    """A tokenizer with one token a byte, an end token, some longer ones, and one for each control marker."""

    markers: tuple[str, ...] = ()
    eos_token_id: int = END
    bos_token_id: int | None = None

    @property
    def tokens(self) -> list[bytes]:
        return [
            *(bytes([byte]) for byte in range(256)),
            b"<end>",
            *(marker.encode() for marker in self.markers),
            *(text.encode() for text in _MORE),
        ]

    @property
    def special_token_ids(self) -> list[int]:
        return list(range(END, END + 1 + len(self.markers)))

    @property
    def ids(self) -> dict[str, int]:
        return {marker: END + 1 + at for at, marker in enumerate(self.markers)}

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)

    def split(self, text: str) -> list[int]:
        """The text as a model with these control tokens writes it, otherwise byte by byte."""
        found: list[int] = []
        while text:
            marker = max((one for one in self.markers if text.startswith(one)), key=len, default=None)
            found += [self.ids[marker]] if marker else text[0].encode()
            text = text[len(marker) :] if marker else text[1:]
        return found

    def text(self, tokens: list[int]) -> str:
        """What was split into these tokens."""
        return b"".join(self.tokens[token] for token in tokens).decode(errors="ignore")


@cache
def tokenizer(markers: tuple[str, ...] = ()) -> LLTokenizer:
    return LLTokenizer(TokenizerWrapper(Bytes(markers)), slices=[])


def matcher(grammar: str, markers: tuple[str, ...] = ()) -> LLMatcher:
    made = LLMatcher(tokenizer(markers), LLMatcher.grammar_from_lark(grammar))
    assert not made.is_error(), made.get_error()
    return made


def accepts(grammar: str, text: str, *, whole: bool = True) -> bool:
    """Whether a model may write this text, and end there where it is the `whole` reply."""
    made = matcher(grammar)
    tokens = list(text.encode())
    return made.try_consume_tokens(tokens) == len(tokens) and (not whole or made.is_accepting())


def allowed(made: LLMatcher, count: int) -> list[int]:
    mask = made.compute_bitmask()
    return [token for token in range(count) if mask[token >> 3] & (1 << (token & 7))]


def walk(grammar: str, seed: int, *, markers: tuple[str, ...] = (), most: int = 600) -> tuple[str, bool]:
    """A random reply, and whether it came to its end within `most` tokens."""
    dice = random.Random(seed)
    words = Bytes(markers)
    made = matcher(grammar, markers)
    written: list[int] = []
    for _ in range(most):
        choices = allowed(made, len(words.tokens))
        assert choices, "the grammar has no way on"
        token = _pick(dice, choices)
        if token == END:
            return _text(words, written), True
        written.append(token)
        assert made.consume_token(token)
    return _text(words, written), False


def _pick(dice: random.Random, choices: Sequence[int]) -> int:
    # Longer tokens and the end come as often as all single bytes together: free text does end some time.
    longer = [token for token in choices if token >= END]
    return dice.choice(longer if longer and dice.random() < 0.5 else choices)


def _text(words: Bytes, written: Sequence[int]) -> str:
    tokens = words.tokens
    return b"".join(tokens[token] for token in written).decode("utf-8", errors="ignore")
