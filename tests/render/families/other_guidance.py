"""Asks another llguidance than ours what it makes of grammars: run by the Python of `.venv-guidance`.

Reads {"tokens": [hex], "special": [number], "cases": [{"grammar", "replies": [{"tokens", "ends"}]}]} for each tokenizer
on a line; writes for each case what is wrong with it, empty where nothing is.
"""

import json
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper, grammar_from


@dataclass(frozen=True)
class Words:
    """A tokenizer out of a list of tokens."""

    tokens: list[bytes]
    special_token_ids: list[int]
    eos_token_id: int = 256
    bos_token_id: int | None = None

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


def wrong(native: LLTokenizer, grammar: str, replies: list[dict[str, Any]]) -> str:
    """What is wrong with one grammar: it cannot be read, or does not take what ours has let through."""
    words = LLMatcher.validate_grammar(grammar_from("grammar", grammar), None)
    if words:
        return words
    for reply in replies:
        matcher = LLMatcher(native, grammar_from("grammar", grammar), log_level=0)
        if matcher.is_error():
            return matcher.get_error()
        taken = matcher.try_consume_tokens(reply["tokens"])
        if taken != len(reply["tokens"]) or matcher.is_accepting() != reply["ends"]:
            return f"takes {taken} of {reply['tokens']}, accepting {matcher.is_accepting()}"
    return ""


def tell(value: object) -> None:
    """One line of the answer."""
    sys.stdout.write(json.dumps(value) + "\n")


def main() -> None:
    """Answer the lines, behind one that says the version."""
    tell(version("llguidance"))
    for line in sys.stdin:
        asked = json.loads(line)
        words = Words([bytes.fromhex(token) for token in asked["tokens"]], asked["special"])
        native = LLTokenizer(TokenizerWrapper(words), slices=[])
        tell([wrong(native, case["grammar"], case["replies"]) for case in asked["cases"]])


if __name__ == "__main__":
    main()
