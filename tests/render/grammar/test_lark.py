"""The notation of grammars: whatever text is written into it, the grammar compiles and means that text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer

from antiphon.render.grammar.lark import Literals, Rules, contains, numbers_to, quoted, without

TOKENIZER = LLTokenizer("byte")


def accepts(grammar: str, text: str) -> bool:
    """Whether the grammar takes the whole text, and may end there."""
    matcher = LLMatcher(TOKENIZER, LLMatcher.grammar_from_lark(grammar))
    assert matcher.get_error() == ""
    tokens = TOKENIZER.tokenize_str(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@given(st.text(min_size=1, max_size=12))
def test_a_quoted_text_is_that_text_and_no_other(text: str) -> None:
    grammar = f"start: {quoted(text)}"
    assert accepts(grammar, text)
    assert not accepts(grammar, f"{text}x")


@pytest.mark.parametrize("text", ['"', "\\", "\n\t", "\x00", "\x7f", "/", ".*", "é😀"])
def test_texts_with_a_meaning_in_the_notation_have_none_when_quoted(text: str) -> None:
    assert accepts(f"start: {quoted(text)}", text)


def test_a_terminal_without_another_takes_all_else() -> None:
    grammar = f"start: T\nT: {without('/(?s:.*)/', [contains('</a>')])}"
    assert accepts(grammar, "text <a> more")
    assert not accepts(grammar, "text </a> more")


def test_control_tokens_are_written_as_tokens_and_the_rest_as_text() -> None:
    literals = Literals({"<call>": 7})
    assert literals.write('<call>{"a"') == '<[7]> "{\\"a\\""'
    assert literals.write("") == ""
    assert (literals.first_token("<call>x"), literals.first_token("x<call>")) == ("<call>", None)


def test_rules_that_say_the_same_are_one() -> None:
    rules = Rules()
    one, again, other = rules.rule('"a"'), rules.rule('"a"'), rules.terminal('"a"')
    assert one == again != other
    assert rules.grammar(f"{one} {other}").splitlines() == [f"start: {one} {other}", f'{one}: "a"', f'{other}: "a"']


def test_a_pattern_of_numbers_takes_those_from_one_to_the_last_and_no_others() -> None:
    for most in (1, 7, 9, 10, 11, 99, 100, 109, 120, 347, 1000):
        pattern = re.compile(numbers_to(most))
        taken = [number for number in range(most + 120) if pattern.fullmatch(str(number))]
        assert taken == list(range(1, most + 1))
        assert not pattern.fullmatch("01")
