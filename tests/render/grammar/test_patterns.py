"""A pattern that is searched for, as one that matches whole texts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.render.grammar.patterns import whole_pattern

PATTERNS = ["a", "^a", "a$", "^a$", "^a|b$", "a|b", "(a|b)c", "^(a|^)?", "a/b", r"\^a", "[$^|]", "", "^", "$"]


@given(st.sampled_from(PATTERNS), st.text("ab/c^$|\n", max_size=6))
def test_it_matches_exactly_the_texts_in_which_the_pattern_is_found(pattern: str, text: str) -> None:
    whole = whole_pattern(pattern)
    if whole is not None:
        # In JSON Schema `$` is the text's end only; Python's also stands before a last line end.
        found = re.search(pattern.replace("$", r"\Z") if pattern != "[$^|]" else pattern, text)
        assert bool(re.fullmatch(whole, text)) == bool(found)


def test_all_but_one_of_these_patterns_have_a_whole_form() -> None:
    assert [pattern for pattern in PATTERNS if whole_pattern(pattern) is None] == ["^(a|^)?"]


@pytest.mark.parametrize("pattern", ["a^b", "a$b", "(^a)"])
def test_an_anchor_in_the_middle_has_none(pattern: str) -> None:
    assert whole_pattern(pattern) is None


def test_a_slash_is_escaped() -> None:
    assert whole_pattern("^a/b$") == r"(?:(?:a\/b))"
