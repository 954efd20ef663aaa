"""Special tokens are found wherever a text has one, however many there are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.render.prompt.special import special_pattern

LETTERS = "ab<|\n."

TOKENS = st.lists(st.text(LETTERS, min_size=1, max_size=5).filter(lambda token: token.strip() != ""), min_size=1)


@pytest.mark.promise("prompt.no-control-tokens-from-users")
@given(TOKENS, st.text(LETTERS, max_size=40))
def test_the_longest_token_is_found_at_every_place(tokens: list[str], text: str) -> None:
    plain = re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))))
    found = special_pattern(tokens)
    assert found is not None
    assert [match.span() for match in found.finditer(text)] == [match.span() for match in plain.finditer(text)]


def test_a_vocabulary_of_thousands_of_tokens_is_no_burden() -> None:
    found = special_pattern({f"<unused{number}>" for number in range(6_000)})
    assert found is not None
    text = "<div class='unused'>x</div> " * 5_000
    assert found.search(text) is None
    # What is looked at does not grow with the vocabulary: one by one this pattern would have 6,000 ways from each `<`.
    assert found.pattern.count("<") == 1
    assert found.search(f"{text}<unused5999>") is not None


def test_a_vocabulary_that_nests_without_an_end_is_read() -> None:
    found = special_pattern("a" * length for length in range(1, 1_200))
    assert found is not None
    match = found.search("b" + "a" * 5_000)
    assert match is not None
    assert match.span() == (1, 1_200)


def test_no_tokens_make_no_pattern() -> None:
    assert special_pattern(["", " ", "\n"]) is None
