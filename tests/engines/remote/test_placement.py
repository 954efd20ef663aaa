"""Which endpoint gets what."""

import random
from collections import Counter

import pytest

from antiphon.engines.remote.placement import Placement, Seat, Wish, keys_of
from antiphon.engines.remote.prefixes import marks_of

LIMIT = 100


def placement(count: int, limit: int = LIMIT) -> Placement:
    return Placement(
        [Seat(key, limit, limit) for key in keys_of(f"http://engine-{number}" for number in range(count))]
    )


def prompt(seed: int, length: int = 1000) -> tuple[int, ...]:
    dice = random.Random(seed)
    return tuple(dice.randrange(50_000) for _ in range(length))


def wish(conversation: str, tokens: tuple[int, ...], *avoid: int) -> Wish:
    return Wish(marks_of(tokens), conversation, frozenset(avoid))


def choose(made: Placement, wanted: Wish) -> int:
    choice = made.choose(wanted, lambda number: made.seats[number].load < made.seats[number].size)
    assert choice is not None
    return choice.endpoint


def begin(made: Placement, wanted: Wish) -> int:
    """The wish, placed and begun: it stays there as load."""
    endpoint = choose(made, wanted)
    made.begun(endpoint, wanted)
    made.seats[endpoint].load += 1
    return endpoint


@pytest.mark.promise("pool.affinity")
def test_a_conversation_comes_back_to_where_its_beginning_was_read():
    made, story = placement(10), prompt(1, 3000)
    first = begin(made, wish("a", story[:1000]))
    for length in (1500, 2000, 3000):
        assert choose(made, wish("a", story[:length])) == first


def test_a_conversation_too_short_to_be_told_from_others_comes_back_by_its_name():
    made = placement(10)
    homes = {str(number): begin(made, wish(str(number), (1, 2, 3))) for number in range(50)}
    assert len(set(homes.values())) > 5
    assert {name: choose(made, wish(name, (1, 2, 3, 4))) for name in homes} == homes


def test_one_whose_name_is_unknown_goes_where_the_most_was_read():
    made, story = placement(4), prompt(1, 3000)
    for endpoint, length in ((2, 2000), (3, 500)):
        made.begun(endpoint, wish("", story[:length]))
    assert choose(made, wish("", story)) == 2


@pytest.mark.promise("pool.even")
def test_no_endpoint_is_loaded_beyond_a_quarter_above_the_mean_for_what_it_has_read():
    made, story = placement(5), prompt(1, 1000)
    for number in range(5 * LIMIT):
        endpoint = choose(made, wish("hot", (*story, number)))
        made.begun(endpoint, wish("hot", story))
        made.seats[endpoint].load += 1
        loads = [seat.load for seat in made.seats]
        assert max(loads) <= max(1.25 * sum(loads) / 5 + 1, 0.75 * LIMIT + 1)


def test_a_beginning_that_all_share_spreads_with_the_conversations():
    made, shared = placement(8), prompt(1, 4000)
    at = Counter(begin(made, wish(f"c{number}", (*shared, *prompt(number, 100)))) for number in range(400))
    assert len(at) == 8
    assert max(at.values()) <= 63


def test_conversations_are_spread_also_where_they_come_one_after_the_other():
    made, shared, at = placement(4), prompt(1, 4000), Counter[int]()
    for number in range(100):
        wanted = wish(f"c{number}", (*shared, *prompt(number, 100)))
        endpoint = choose(made, wanted)
        made.begun(endpoint, wanted)
        at[endpoint] += 1
    assert max(at.values()) <= 32


def test_fronts_that_know_nothing_of_each_other_agree_on_new_conversations():
    one, other = placement(20), placement(20)
    same = 0
    for number in range(200):
        wanted = wish(f"c{number}", prompt(number, 300))
        at = choose(one, wanted)
        one.begun(at, wanted)
        same += choose(other, wanted) == at
    assert same > 120, "by chance it were ten"


def test_larger_endpoints_get_more():
    made = placement(2)
    made.seats[1].size = 3 * LIMIT
    at = Counter(begin(made, wish(f"c{number}", prompt(number, 100))) for number in range(200))
    assert at[1] == pytest.approx(150, abs=3)


def test_closed_and_avoided_endpoints_are_left_out():
    made = placement(3)
    made.seats[0].open = False
    assert {choose(made, wish(f"c{number}", (), 1)) for number in range(20)} == {2}
    made.seats[2].open = False
    assert choose(made, wish("x", (), 1)) == 1, "better one that lost it than none"
    made.seats[1].open = False
    assert made.choose(wish("x", ()), lambda _: True) is None


def test_what_an_endpoint_had_read_is_forgotten_with_it():
    made, story = placement(2), prompt(1, 2000)
    made.begun(0, wish("a", story))
    made.begun(1, wish("b", story[:500]))
    made.forget(0)
    assert choose(made, wish("", story)) == 1


def test_memory_of_conversations_is_bounded():
    made = Placement([Seat(key, 10) for key in keys_of(["http://one", "http://two"])], most=10)
    for number in range(100):
        made.begun(number % 2, wish(str(number), ()))
    assert [seat.homes for seat in made.seats] == [5, 5]
