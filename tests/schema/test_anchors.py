"""Anchors within groups come to the edges of a pattern, and the same texts have it."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.schema.anchors import at_the_edges
from tests.schema.sampler import allows

TEXTS = ["".join(letters) for length in range(5) for letters in itertools.product("abc", repeat=length)]

ATOMS = st.sampled_from(["a", "b", "^", "$", "[ab]", r"\^", ""])


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(inner, max_size=3)
    groups = st.tuples(parts.map("|".join), st.sampled_from(["", "", "?", "*", "+", "{2}", "{0,2}", "{1,}"]))
    return st.one_of(parts.map("".join), groups.map(lambda group: f"(?:{group[0]}){group[1]}"))


PATTERNS = st.recursive(ATOMS, _nested, max_leaves=8)


def found_in(pattern: str) -> list[str]:
    # Python's `$` also matches before a last newline; these texts have none.
    compiled = re.compile(pattern)
    return [text for text in TEXTS if compiled.search(text)]


@given(PATTERNS)
def test_the_same_texts_have_it(pattern: str):
    told = at_the_edges(pattern)
    assert found_in(pattern) == ([] if told is None else found_in(told))


@given(PATTERNS)
def test_no_anchor_is_left_within(pattern: str):
    told = at_the_edges(pattern)
    if told is not None:
        assert at_the_edges(told) == told
        assert len(re.findall(r"(?<!\\)[$^]", told)) <= max(4, len(re.findall(r"(?<!\\)[$^]", pattern)))


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("^a|b$", "^a|b$"),
        (r"[[^ab]$^]|\^\$", r"[[^ab]$^]|\^\$"),
        ("(?:^a|b$)", "^a|b$"),
        ("(?:^|/)a(?:/|$)", "^a/|^a$|/a/|/a$"),
        ("^(?:a|^)?", "^(?:(?:a)?)?"),
        ("(?:^a){2}|b", "b"),
        (r"(?:^\p{L}{2}|[[0-9]^]+\u{a0}*)", r"^(?:\p{L}){2}|(?:[[0-9]^])+(?:\u{a0})*"),
    ],
)
def test_what_it_comes_to(pattern: str, told: str):
    assert at_the_edges(pattern) == told


@pytest.mark.parametrize("pattern", ["a^b", "a$b", "a(?:^b)", "(?:a$|b)c(?:^a)", "(?:^a){2}"])
def test_what_no_text_has_has_no_edges(pattern: str):
    assert at_the_edges(pattern) is None


@pytest.mark.parametrize("pattern", ["(?:^|a){900}", "(?:" * 20 + "^a|b" + "|c){8}" * 20])
def test_what_would_be_too_long_has_none_either(pattern: str):
    assert at_the_edges(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["(?:^a|b$)", "(?:^|b)a(?:b|$)", "(?:a|^b)*c$", "(?:)|(?:^a)", "(?:^(?:a|b$)|c)+"]
)
def test_the_decoder_has_it_like_everyone(pattern: str):
    told = at_the_edges(pattern)
    assert told is not None
    schema = {"type": "string", "pattern": told}
    assert [text for text in TEXTS if allows(schema, f'"{text}"')] == found_in(pattern)
