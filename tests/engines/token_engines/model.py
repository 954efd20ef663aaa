"""A model that writes what a script says, in the built-in model's tokens, and keeps to grammars as the engines do."""

import functools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask
from tokenizers import Tokenizer

from antiphon.engines.scripted.script import Script
from antiphon.weights.builtin import DEFAULT, builtin_path
from huggingface_model import Header, write_tokenizer

END = 2
BLOCK = 16


@functools.cache
def tokenizer_directory() -> Path:
    """The built-in model's tokenizer as Hugging Face has them, made once."""
    directory = Path(tempfile.mkdtemp(prefix="antiphon-tokenizer-"))
    write_tokenizer(Header(builtin_path(DEFAULT)), directory)
    return directory


@functools.cache
def _tokenizers() -> tuple[Any, LLTokenizer]:
    """The tokenizer, and what llguidance makes of it: seconds, so only once."""
    file = tokenizer_directory() / "tokenizer.json"
    return Tokenizer.from_file(str(file)), LLTokenizer(file.read_text("utf-8"), eos_token=END)


class BadGrammar(ValueError):  # noqa: N818 - reads as what happened
    """A grammar that llguidance does not take; the text is its own."""


class ScriptedModel:
    """`script`: rules with `prompt`, see docs/scripted-engine.md; without a rule that applies it writes "I see."."""

    def __init__(self, script: str = "") -> None:
        self._tokenizer, self._native = _tokenizers()
        self._rules = Script.parse(script).rules if script else ()
        self._read: set[tuple[str, tuple[int, ...]]] = set()

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return self._tokenizer.get_vocab_size()

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, control tokens read."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def text(self, tokens: Sequence[int], *, skip_special: bool = False) -> str:
        """The text of tokens."""
        return self._tokenizer.decode(list(tokens), skip_special_tokens=skip_special)

    def cached(self, prompt: Sequence[int], salt: str) -> int:
        """How much of a prompt is known from earlier ones with the same salt, in whole blocks, never all of it. It is
        known from now on."""
        starts = [tuple(prompt[:at]) for at in range(BLOCK, len(prompt), BLOCK)]
        known = [start for start in starts if (salt, start) in self._read]
        self._read |= {(salt, tuple(prompt[:at])) for at in range(BLOCK, len(prompt) + 1, BLOCK)}
        return len(known[-1]) if known else 0

    def write(self, prompt: Sequence[int], grammar: str | None) -> Iterator[int]:
        """Token by token, without an end of its own behind the end token. Raises `BadGrammar` before the first."""
        if grammar is not None and (words := LLMatcher.validate_grammar(grammar, self._native)):
            raise BadGrammar(words)
        return self._written(prompt, grammar)

    def _written(self, prompt: Sequence[int], grammar: str | None) -> Iterator[int]:
        wanted = [*self.tokens(self._reply(self.text(prompt))), END]
        if grammar is None:
            yield from wanted
            return
        matcher = LLMatcher(self._native, grammar)
        mask = allocate_token_bitmask(1, self._native.vocab_size)
        at = 0
        while not matcher.is_stopped():
            fill_next_token_bitmask(matcher, mask)
            token = _chosen(mask[0], wanted[at] if at < len(wanted) else END, matcher)
            at += at < len(wanted) and token == wanted[at]
            yield token
            if token == END:
                return
            matcher.consume_token(token)
        yield END

    def _reply(self, prompt: str) -> str:
        for rule in self._rules:
            if rule.prompt is not None and rule.prompt.search(prompt):
                return "".join(piece.text for piece in rule.reply.pieces)
        return "I see."


def _chosen(mask: Any, wanted: int, matcher: LLMatcher) -> int:
    """The token that the model wants where it may, else one that is forced, else the first that is allowed."""
    if mask[wanted // 32] >> (wanted % 32) & 1:
        return wanted
    if forced := matcher.compute_ff_tokens():
        return forced[0]
    allowed = np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little"))
    return int(next((token for token in allowed if token != END), END))
