"""The grammars hold in the llguidance that vLLM and SGLang have as they do in ours."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.tools import Choice, Tool
from antiphon.engines.grammar import GrammarWriter
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.reply import reply_grammar, thought_grammar
from tests.arch.tree import ROOT
from tests.render.families.cases import TOOLS as PLAIN
from tests.render.grammar.test_calls import CASES
from tests.render.real_tools import REAL_TOOLS
from tests.render.tool_cases import TOOLS
from tests.render.walk import END, Bytes, matcher, walk

PYTHON = ROOT / ".venv-guidance" / "bin" / "python"
SHAPE = {"type": "object", "properties": {"name": {"type": "string"}, "at": {"type": "number"}}, "required": ["name"]}
CHOICES = (Choice(), Choice("any"), Choice("any", parallel=False), Choice("tool", "get_time"))


def grammars(family: Family, tokens: dict[str, int]) -> Iterator[str]:
    """What may bound a reply of the family."""

    def of(tools: tuple[Tool, ...], choice: Choice, shape: dict[str, Any] | None = None) -> Iterator[str]:
        made = reply_grammar(
            family, Conversation((), (Turn("user", (Text("a"),)),), None, tools, choice, shape), tokens
        )
        if made is not None:
            yield made

    for choice in CHOICES:
        yield from of(TOOLS, choice)
    yield from of(PLAIN, Choice("any"))
    yield from of(CASES, Choice("any"))
    yield from of((), Choice(), SHAPE)
    yield from of(TOOLS, Choice(), SHAPE)
    if family is UNIVERSAL:
        yield from of(tuple(REAL_TOOLS), Choice("any"))
    yield thought_grammar(family, tokens)


def asked(family: Family, markers: tuple[str, ...]) -> dict[str, Any]:
    """The family's grammars as engines get them, each with replies that ours lets through."""
    words = Bytes(markers)
    writer = GrammarWriter(markers, (END,))
    cases: list[dict[str, Any]] = []
    for grammar in grammars(family, words.ids):
        replies = [reply(grammar, 0, markers)]
        cases.append({"grammar": writer.write(grammar), "replies": replies})
    tokens = [token.hex() for token in words.tokens]
    return {"tokens": tokens, "special": words.special_token_ids, "cases": cases}


def reply(grammar: str, seed: int, markers: tuple[str, ...]) -> dict[str, Any]:
    """A reply by dice, and whether it may end there."""
    text, _ = walk(grammar, seed, markers=markers, most=60)
    tokens = Bytes(markers).split(text)
    made = matcher(grammar, markers)
    taken = made.try_consume_tokens(tokens)
    return {"tokens": tokens[:taken], "ends": made.is_accepting()}


def answers(questions: list[dict[str, Any]]) -> list[Any]:
    """What the other llguidance says."""
    lines = "\n".join(map(json.dumps, questions))
    program = Path(__file__).with_name("other_guidance.py")
    done = subprocess.run([PYTHON, program], input=lines, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.promise("remote-tokens.grammars-hold")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_grammar_holds_in_the_llguidance_of_other_engines(family: Family):
    markers = tuple(sorted({*family.syntax.control, family.thought.close}))
    questions = [asked(family, ()), asked(family, markers)]
    version, *found = answers(questions)
    assert version.startswith("1.7."), "vLLM pins this line of releases"
    for question, wrong in zip(questions, found, strict=True):
        assert len(wrong) == len(question["cases"]) >= 8
        assert [(case["grammar"], words) for case, words in zip(question["cases"], wrong, strict=True) if words] == []


def test_what_is_no_grammar_or_does_not_fit_is_noticed():
    words = Bytes()
    base = {"tokens": [token.hex() for token in words.tokens], "special": words.special_token_ids}
    letter = {"tokens": list(b"b"), "ends": True}
    cases: list[dict[str, Any]] = [
        {"grammar": "%llguidance {}\nstart: (", "replies": []},
        {"grammar": 'start: "a"\n', "replies": [letter]},
    ]
    _, wrong = answers([{**base, "cases": cases}])
    assert all(wrong)
