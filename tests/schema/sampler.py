"""Texts that a grammar allows, drawn byte by byte from the decoder's own masks with seeded dice: a model without taste."""

import random
from dataclasses import dataclass
from typing import Any

import orjson
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

_END = 256
_CLOSING = b'"}]'
_SOFT_LIMIT = 120
_HARD_LIMIT = 4_000


class _Bytes:
    """A vocabulary of the 256 bytes and an end token, in the shape that the library asks for."""

    eos_token_id = _END
    bos_token_id = None
    special_token_ids = (_END,)
    tokens = (*(bytes([value]) for value in range(256)), b"<|end|>")

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text if isinstance(text, bytes) else text.encode())


_TOKENIZER = LLTokenizer(TokenizerWrapper(_Bytes()), n_vocab=257, eos_token=_END)


def lark(form: Any) -> str:
    """A grammar of nothing but this schema."""
    return "start: %json " + orjson.dumps(form).decode()


def _matcher(form: Any) -> LLMatcher:
    matcher = LLMatcher(_TOKENIZER, lark(form), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    return matcher


def allows(form: Any, text: str) -> bool:
    """Whether a model could write this text, whole."""
    matcher = _matcher(form)
    data = text.encode()
    return matcher.try_consume_tokens(list(data)) == len(data) and matcher.is_accepting()


@dataclass
class Sampler:
    """Draws texts of one schema. `hints`: bytes that end what only a certain text can end."""

    form: Any
    hints: tuple[bytes, ...] = (b".py", b"@a.com", b"a", b"x0x1x2x3x4", b"1", b"://")

    def draw(self, seed: int) -> str:
        """One text; fails when the decoder's masks lead nowhere."""
        dice = random.Random(seed)
        matcher = _matcher(self.form)
        written = bytearray()
        hint = bytearray()
        while not self._is_over(matcher, dice, written):
            mask = matcher.compute_bitmask()
            assert not matcher.is_error(), matcher.get_error()
            allowed = [value for value in range(256) if mask[value >> 3] >> (value & 7) & 1]
            assert allowed, f"nothing may follow {bytes(written)!r}"
            assert len(written) < _HARD_LIMIT, f"no end in sight: {bytes(written)[:200]!r}"
            value = self._choose(dice, allowed, hint, late=len(written) > _SOFT_LIMIT)
            assert matcher.consume_token(value)
            written.append(value)
        return written.decode()

    def _is_over(self, matcher: LLMatcher, dice: random.Random, written: bytearray) -> bool:
        if not matcher.is_accepting():
            return False
        return matcher.is_stopped() or dice.random() < 0.4 or len(written) > _SOFT_LIMIT

    def _choose(self, dice: random.Random, allowed: list[int], hint: bytearray, *, late: bool) -> int:
        closing = [value for value in allowed if value in _CLOSING]
        # So many choices, none of them the quote: the inside of a string that may not end yet.
        stuck = late and _CLOSING[0] not in closing and len(allowed) > 40
        if closing and not stuck and (late or dice.random() < 0.25):
            return dice.choice(closing)
        if stuck and not hint:
            hint.extend(dice.choice(self.hints))
        if stuck and hint[0] in allowed and dice.random() < 0.8:
            return hint.pop(0)
        hint.clear()
        plain = [value for value in allowed if 32 <= value < 127]
        return dice.choice(plain if plain and dice.random() < 0.9 else allowed)
