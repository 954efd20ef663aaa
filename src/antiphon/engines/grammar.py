"""A reply's grammar as engines take it that have llguidance inside: llama.cpp, vLLM, SGLang.

The first line says whose grammar it is: another library fails over it, where it would read the rest in its own way.

Where a grammar leaves one way to go on, llguidance has the text of that way tokenized, and llama.cpp's tokenizer
takes the text of a control token in it for that token: a value that had to hold `<|im_end|>` ended the reply. Where a
text of the grammar holds one, every token is therefore left to the model, which then writes it as plain text.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

_HEADER: Final = "%llguidance {}\n"
_UNFORCED: Final = '%llguidance {"no_forcing": true}\n'
_HEAD: Final = 3
# A pattern that is not written for one text cannot leave one way only.
_LITERALS: Final = re.compile(r'"(?:\\.|[^"\\])*"|/(?:\\.|[^/\\\n])*/')


class GrammarWriter:
    """Writes grammars for one model. `control`: its control tokens' texts; `ends`: the tokens that end a turn."""

    def __init__(self, control: Iterable[str] = (), ends: Sequence[int] = ()) -> None:
        self._ends = ",".join(map(str, sorted(set(ends))))
        self._by_head: dict[str, tuple[str, ...]] = {}
        for text in filter(None, control):
            self._by_head[text[:_HEAD]] = (*self._by_head.get(text[:_HEAD], ()), text)
        heads = sorted(self._by_head, key=len, reverse=True)
        self._heads = re.compile("|".join(map(re.escape, heads))) if heads else None
        self._holds_control = lru_cache(maxsize=16)(self._find_control)

    def write(self, grammar: str) -> str:
        """The grammar, with the tokens that end a turn allowed behind it.

        Of the tokens that end a text engines tell llguidance one, which need not be the one that the model writes:
        of `<|im_end|>` and `<|endoftext|>` llama.cpp took the other, and a reply under a grammar never came to its
        end.
        """
        header = _UNFORCED if self._holds_control(grammar) else _HEADER
        if self._ends:
            grammar = grammar.replace("start:", f"start: the_reply <[{self._ends}]>?\nthe_reply:", 1)
        return header + grammar

    def _find_control(self, grammar: str) -> bool:
        return any(map(self._is_in, (found[0].replace("\\", "") for found in _LITERALS.finditer(grammar))))

    def _is_in(self, text: str) -> bool:
        if self._heads is None or "(?s:" in text:
            return False
        return any(text.startswith(self._by_head[head[0]], head.start()) for head in self._heads.finditer(text))
