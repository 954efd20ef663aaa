"""A word is found wherever it stands as one, however it was looked for."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.tools.search.ranking import Ranking, words

TEXTS = st.lists(st.text(alphabet="abü1_'’ -漢字。", max_size=40), min_size=1, max_size=4)


def counted(texts: list[str], word: str) -> list[tuple[int, int]]:
    """Where a word stands, and how often: told from all the words of all the texts."""
    every = [Counter(words(text)) for text in texts]
    return [(place, found[word]) for place, found in enumerate(every) if found[word]]


@pytest.mark.promise("tool-search.words")
@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_a_word_is_counted_as_if_all_words_had_been(texts: list[str]):
    ranking = Ranking(texts)
    for word in {word for text in texts for word in words(text)}:
        assert set(ranking.best(word)) == {place for place, _ in counted(texts, word)}


def test_the_text_with_more_of_the_rarer_word_is_better():
    texts = ["get the weather", "get get get", "weather weather map", "nothing"]
    assert set(Ranking(texts).best("get weather")) == {0, 1, 2}
    assert Ranking(texts).best("get weather")[0] == 0
    assert Ranking(texts).best("map") == [2]
    assert Ranking([]).best("map") == []


def test_a_part_of_a_word_is_none():
    assert Ranking(["don't", "don", "undone", "on-don"]).best("don") == [1, 3]
