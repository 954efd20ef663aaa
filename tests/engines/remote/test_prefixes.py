"""What is remembered of prompts that endpoints have read."""

import random

from antiphon.engines.llamacpp.slots import common_start
from antiphon.engines.remote.prefixes import BLOCK, Prefixes, marks_of


def prompt(seed: int, length: int) -> tuple[int, ...]:
    dice = random.Random(seed)
    return tuple(dice.randrange(50_000) for _ in range(length))


A, B = prompt(1, 3000), prompt(2, 3000)


def test_marks_are_few_and_stand_close_enough():
    for length in (0, 63, 64, 1000, 10_000, 100_000):
        marks = marks_of(tuple(range(length)))
        assert len(marks.hashes) < 75
        last = marks.lengths[-1] if marks.lengths else 0
        assert last >= length - max(BLOCK, length // 8), length


def test_a_longer_prompt_has_the_marks_of_its_beginning():
    one, other = marks_of(A[:2000]), marks_of(A)
    assert other.hashes[: len(one.hashes)] == one.hashes


def test_what_is_shared_is_never_more_than_what_is_the_same_and_not_much_less():
    dice = random.Random(3)
    for _ in range(200):
        same = dice.randrange(3000)
        prefixes = Prefixes(1)
        one, other = A[: same + dice.randrange(500)], A[:same] + B[:500]
        prefixes.read(0, marks_of(one))
        found = prefixes.shares(marks_of(other))
        shared = found[0][0] if found else 0
        true = common_start(one, other)
        assert true - max(BLOCK, true // 8) <= shared <= true


def test_who_has_read_the_most_comes_first():
    prefixes = Prefixes(4)
    prefixes.read(0, marks_of(A[:500]))
    prefixes.read(1, marks_of(A[:2000]))
    prefixes.read(2, marks_of(A[:2000] + B[:200]))
    prefixes.read(3, marks_of(B))
    found = prefixes.shares(marks_of(A))
    assert [endpoints for _, endpoints in found] == [(1, 2), (0,)]
    assert found[0][0] > found[1][0] >= 448


def test_what_was_forgotten_is_unknown_and_can_be_read_again():
    prefixes = Prefixes(2)
    prefixes.read(0, marks_of(A))
    prefixes.read(1, marks_of(A[:1000]))
    prefixes.forget(0)
    assert [endpoints for _, endpoints in prefixes.shares(marks_of(A))] == [(1,)]
    prefixes.read(0, marks_of(A))
    assert prefixes.shares(marks_of(A))[0][1] == (0,)


def test_memory_is_bounded_and_keeps_what_is_used():
    prefixes = Prefixes(1, most=400)
    for number in range(300):
        prefixes.read(0, marks_of(prompt(100 + number, 640)))
        prefixes.read(0, marks_of(A[:640]))
        assert len(prefixes) <= 420
    assert prefixes.shares(marks_of(A[:640]))
    assert not prefixes.shares(marks_of(prompt(100, 640)))


def test_endpoints_that_are_lost_all_the_time_do_not_blow_the_memory_up():
    prefixes = Prefixes(3, most=200)
    dice = random.Random(5)
    for number in range(5000):
        prefixes.read(number % 3, marks_of(prompt(dice.randrange(50), 200)))
        prefixes.forget(dice.randrange(3))
    held = [endpoint for _, endpoints in prefixes.shares(marks_of(prompt(1, 200))) for endpoint in endpoints]
    assert set(held) <= {0, 1, 2}
    assert max(map(int.bit_length, prefixes.holders), default=0) < 4000


def test_a_new_life_never_inherits_what_an_old_one_had_read():
    prefixes = Prefixes(2, most=60)
    dice = random.Random(7)
    known: dict[int, set[int]] = {0: set(), 1: set()}
    for _ in range(3000):
        endpoint, seed = dice.randrange(2), dice.randrange(30)
        if dice.random() < 0.2:
            prefixes.forget(endpoint)
            known[endpoint] = set()
        else:
            prefixes.read(endpoint, marks_of(prompt(seed, 130)))
            known[endpoint].add(seed)
        asked = dice.randrange(30)
        for _, endpoints in prefixes.shares(marks_of(prompt(asked, 130))):
            assert all(asked in known[endpoint] for endpoint in endpoints)
