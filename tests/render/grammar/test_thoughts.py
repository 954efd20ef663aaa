"""A thought that has to be there: whatever the model likes, once there is a word of it."""

import pytest
from llguidance import LLMatcher

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.tools import Tool
from antiphon.render.families import FAMILIES
from antiphon.render.families.markers import triggers_of
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.reply import reply_grammar, thought_grammar
from tests.render.walk import Bytes, matcher, walk

TOOLS = (Tool("get_time", "", {"type": "object", "properties": {}}),)

EMPTY = ["", " ", "\n\t\n", "\u00a0\u2028", "\x1c"]


def markers(family: Family) -> tuple[str, ...]:
    """The model's markers as control tokens, as far as a token can be one."""
    return tuple(sorted({*family.syntax.control, family.thought.close}))


def accepts(family: Family, text: str, *, tokens: bool, whole: bool = True) -> bool:
    marks = markers(family) if tokens else ()
    words = Bytes(marks)
    made = matcher(thought_grammar(family, words.ids), marks)
    written = words.split(text)
    return made.try_consume_tokens(written) == len(written) and (not whole or made.is_accepting())


@pytest.mark.promise("thinking.never-empty")
@pytest.mark.parametrize("tokens", [False, True], ids=["text", "tokens"])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_thought_has_a_word_before_it_ends(family: Family, tokens: bool) -> None:
    for space in EMPTY:
        assert not accepts(family, space, tokens=tokens)
        for end in (family.thought.close, *triggers_of(family.syntax)):
            assert not accepts(family, space + end, tokens=tokens, whole=False), end


@pytest.mark.promise("thinking.never-empty")
@pytest.mark.parametrize("tokens", [False, True], ids=["text", "tokens"])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_any_thought_with_a_word_may_end_in_every_way(family: Family, tokens: bool) -> None:
    for thought in ("x", "\n a < b\n", "Ö", "</", "日本語 😀\n\n- 1. {}"):
        for end in ("", family.thought.close, *triggers_of(family.syntax)):
            assert accepts(family, thought + end, tokens=tokens), thought + end


@pytest.mark.promise("thinking.never-empty")
@pytest.mark.parametrize("seed", range(20))
def test_a_model_of_no_sense_at_all_thinks_something(seed: int) -> None:
    for family in (FAMILIES[0], FAMILIES[-1]):
        marks = markers(family)
        text, _ = walk(thought_grammar(family, Bytes(marks).ids), seed, markers=marks, most=60)
        assert text.partition(family.thought.close)[0].strip()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_grammar_compiles(family: Family) -> None:
    text = thought_grammar(family, Bytes(markers(family)).ids)
    assert not LLMatcher.validate_grammar(LLMatcher.grammar_from_lark(text))


@pytest.mark.promise("thinking.answers-under-a-grammar")
@pytest.mark.parametrize("family", [one for one in FAMILIES if one.reasoning], ids=lambda family: family.name)
def test_an_answer_s_grammar_lets_the_model_answer_and_think_again(family: Family) -> None:
    """Where the family's calls begin with control tokens; elsewhere a control token cannot be written at all."""
    opening, close = family.reasoning[0]
    control = family.syntax.control
    whole = {marker for marker in (opening, close) if not any(token in marker for token in control)}
    marks = tuple(sorted(control | whole if control else ()))
    tokens = Bytes(marks)
    grammar = reply_grammar(family, Conversation((), (), None, TOOLS), tokens.ids)
    assert grammar is not None
    for text in ("An answer.", f"{opening}Hm.{close}An answer."):
        made, written = matcher(grammar, marks), tokens.split(text)
        assert made.try_consume_tokens(written) == len(written)
        assert made.is_accepting()
