"""What a runner does when, on a clock that only these tests move."""

import pytest

from antiphon.ports.batches import Batch
from antiphon.service.batches.policy import LEAST_PAUSE, LOOK, MOST_PAUSE, Policy

NOW = 1_000.0


def policy(concurrency: int = 4, places: int | None = None, lease: float = 30.0) -> Policy:
    return Policy(concurrency, places, lease)


def batch(key: int, tenant: str) -> Batch:
    return Batch(key, f"msgbatch_{key}", tenant, created_at=key, expires_at=0, total=1)


@pytest.mark.promise("batches.give-way")
@pytest.mark.parametrize(
    ("places", "waited_for", "most"),
    [
        (None, 0, 4),
        (None, 3, 1),
        (None, 9, 0),
        (1, 0, 1),
        (1, 1, 0),
        (2, 0, 1),
        (3, 0, 2),
        (3, 1, 1),
        (3, 2, 0),
        (16, 0, 4),
        (16, 13, 2),
    ],
)
def test_a_batch_has_the_places_that_are_left_and_leaves_one_of_several_free(
    places: int | None, waited_for: int, most: int
) -> None:
    assert policy(places=places).most(waited_for) == most


def test_what_has_been_begun_takes_room_and_is_never_asked_to_leave() -> None:
    assert policy().room(NOW, 0, 3) == 1
    assert policy().room(NOW, 4, 3) == 0


def test_as_much_is_taken_as_can_be_begun_and_more_for_what_comes_next() -> None:
    assert policy().to_take(NOW, 0, 0, 0) == 12
    assert policy().to_take(NOW, 0, 2, 1) == 9
    assert policy().to_take(NOW, 0, 2, 4) == 0  # enough is there
    assert policy().to_take(NOW, 0, 4, 0) == 8  # for when those end
    assert policy().to_take(NOW, 4, 0, 0) == 0
    assert policy(concurrency=0).to_take(NOW, 0, 0, 0) == 0


def test_tenants_take_turns_each_with_its_oldest_batch() -> None:
    turns = policy()
    batches = [batch(1, "a"), batch(2, "a"), batch(3, "b"), batch(4, "c")]
    chosen = [turns.next_of(batches) for _ in range(5)]
    assert [each.key for each in chosen if each is not None] == [1, 3, 4, 1, 3]
    assert turns.next_of([]) is None


def test_after_failures_nothing_is_begun_for_longer_and_longer_and_at_once_when_it_works_again() -> None:
    fails = policy()
    now = NOW
    pauses: list[float] = []
    for _ in range(10):
        fails.failed(now)
        fails.failed(now)  # many at once are one
        pause = next(p for p in (LEAST_PAUSE * 2**n for n in range(10)) if fails.room(now + p, 0, 0) > 0)
        pauses.append(pause)
        now += pause
    assert pauses[:5] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert max(pauses) < 2 * MOST_PAUSE
    fails.failed(now)
    assert fails.room(now, 0, 0) == 0
    fails.worked()
    assert fails.room(now, 0, 0) == 4
    fails.failed(now)
    assert fails.room(now + LEAST_PAUSE, 0, 0) == 4


def test_a_clock_that_is_set_back_makes_no_pause_longer() -> None:
    fails = policy()
    fails.failed(NOW)
    assert fails.room(NOW - 3600, 0, 0) == 4


def test_what_is_taken_is_renewed_three_times_in_a_lease() -> None:
    renews = policy(lease=30.0)
    assert [now for now in range(1000, 1031) if renews.renews(now)] == [1000, 1010, 1020, 1030]
    assert renews.renews(500.0)  # the clock was set back


def test_the_store_is_looked_at_now_and_then_and_when_something_is_known_to_have_changed() -> None:
    looks = policy()
    assert looks.looks(NOW)
    assert not looks.looks(NOW + LOOK / 2)
    assert looks.looks(NOW + LOOK)
    looks.look()
    assert looks.looks(NOW + LOOK)
    assert looks.looks(NOW)
