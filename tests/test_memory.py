"""A memory that forgets the longest unused, by weight."""

from hypothesis import given
from hypothesis import strategies as st

from antiphon.memory import Kept


def test_what_was_asked_for_last_stays():
    kept: Kept[str, int] = Kept(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)


def test_what_alone_is_too_heavy_is_not_kept_and_takes_nothing_away_but_its_own_past():
    kept: Kept[str, str] = Kept(4, lambda key, value: len(key) + len(value))
    kept.put("a", "aa")
    kept.put("a", "aaaa")
    assert (kept.get("a"), kept.weight) == (None, 0)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 6))))
def test_the_weight_is_that_of_what_is_there_and_never_too_much(puts: list[tuple[str, int]]):
    kept: Kept[str, int] = Kept(10, lambda _, value: value)
    for key, value in puts:
        kept.put(key, value)
        held = [found for each in "abcde" if (found := kept.get(each)) is not None]
        assert kept.weight == sum(held) <= 10
