"""Whether all workers go over to other models."""

import pytest

from antiphon.compose.workers.vote import Vote

WHY = Exception("it died twice")


def vote(*asked: str) -> Vote[str]:
    """A vote of these."""
    made = Vote[str]()
    for voter in asked:
        made.ask(voter)
    return made


def states(made: Vote[str]) -> tuple[bool, bool]:
    return made.is_open, made.is_won


OPEN, WON, LOST = (True, False), (False, True), (False, False)


@pytest.mark.promise("reload.workers-models")
def test_it_is_won_when_the_last_one_could():
    made = vote("one", "two")
    assert states(made) == OPEN
    made.could("one")
    assert states(made) == OPEN
    made.could("two")
    assert states(made) == WON


@pytest.mark.promise("reload.workers-models")
def test_one_that_cannot_is_enough_and_the_first_word_counts():
    made = vote("one", "two", "three")
    made.could("one")
    first = Exception("no")
    made.cannot(first)
    made.cannot(Exception("neither"))
    made.could("two")
    made.could("three")
    assert states(made) == LOST
    assert made.problem is first


@pytest.mark.promise("reload.workers-replaced")
def test_one_that_dies_has_no_say_and_the_next_in_its_place_has():
    made = vote("one", "two")
    made.could("two")
    made.died("two", 2, answered=True, problem=WHY)
    assert states(made) == OPEN
    made.ask("another two")
    made.could("one")
    assert states(made) == OPEN
    made.could("two")  # it is gone: this counts for nobody
    assert states(made) == OPEN
    made.could("another two")
    assert states(made) == WON


@pytest.mark.promise("reload.workers-replaced")
def test_those_that_live_do_not_wait_for_one_that_is_not_there():
    made = vote("one", "two")
    made.could("one")
    made.died("two", 2, answered=True, problem=WHY)
    assert states(made) == WON


@pytest.mark.promise("reload.workers-replaced")
def test_where_all_die_the_next_ones_say_and_who_dies_twice_ends_it():
    made = vote("one", "two")
    for number, voter in enumerate(("one", "two"), 1):
        made.died(voter, number, answered=True, problem=WHY)
    assert states(made) == OPEN
    made.ask("another one")
    made.died("another one", 1, answered=True, problem=WHY)
    assert states(made) == LOST
    assert made.problem is WHY


@pytest.mark.promise("reload.workers-replaced")
def test_a_worker_that_cannot_be_started_with_the_old_models_keeps_nobody_from_the_new_ones():
    made = vote("one", "two")
    for _ in range(3):
        made.died("two", 2, answered=False, problem=WHY)
        made.ask("two")
    made.died("two", 2, answered=False, problem=WHY)
    assert states(made) == OPEN
    made.could("one")
    assert states(made) == WON
    alone = vote("one")
    alone.died("one", 1, answered=True, problem=WHY)
    alone.ask("another")
    assert states(alone) == OPEN
    alone.died("another", 1, answered=False, problem=WHY)
    assert states(alone) == WON
