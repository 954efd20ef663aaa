"""Stop sequences: the same end under every cut, and no character held back without need."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.render.reading.stops import StopMatcher

_ALPHABET = "ab#\n漢"

_TEXTS = st.text(_ALPHABET, max_size=40)

_STOPS = st.lists(st.text(_ALPHABET, min_size=1, max_size=6), max_size=6)


def oracle(text: str, stops: list[str]) -> tuple[str, str | None]:
    """The slow truth: the first position at which some sequence ends; the longest of those that end there."""
    for end in range(1, len(text) + 1):
        ending = [stop for stop in stops if text[:end].endswith(stop)]
        if ending:
            longest = max(ending, key=len)
            return text[: end - len(longest)], longest
    return text, None


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.promise("stops.any-cut", "stops.matched-and-cut")
@given(_TEXTS, _STOPS, st.lists(st.integers(0, 1000), max_size=8))
def test_the_reply_ends_at_the_same_place_under_every_cut(text: str, stops: list[str], places: list[int]) -> None:
    matcher = StopMatcher(stops)
    sent = "".join(matcher.feed(piece) for piece in cut(text, places))
    if matcher.matched is None:
        sent += matcher.flush()
    assert (sent, matcher.matched) == oracle(text, stops)


@pytest.mark.promise("streaming.nothing-held-back")
@given(_TEXTS, _STOPS)
def test_only_the_beginning_of_a_sequence_is_held_back(text: str, stops: list[str]) -> None:
    matcher = StopMatcher(stops)
    sent = ""
    for at, char in enumerate(text):
        sent += matcher.feed(char)
        if matcher.matched is not None:
            return
        held = text[len(sent) : at + 1]
        assert held == "" or any(stop.startswith(held) for stop in stops)


def test_without_sequences_text_passes_at_once() -> None:
    matcher = StopMatcher([])
    assert matcher.feed("anything at all") == "anything at all"
    assert matcher.flush() == ""


def test_a_thousand_long_sequences_are_no_problem() -> None:
    stops = [f"stop number {n} " + "x" * 500 for n in range(1000)]
    matcher = StopMatcher(stops)
    text = "stop number 7 " + "x" * 499
    assert matcher.feed(text) == ""
    assert matcher.feed("x") == ""
    assert matcher.matched == stops[7]
