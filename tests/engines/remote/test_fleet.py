"""The pool over many engines and many conversations: the simulation of `benchmarks.fleet`, in small."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest
from benchmarks.fleet import DOORS, scenes
from benchmarks.simulated import Engines, Figures, Fleet, Loss, People, Run, part

SMALL = Run(endpoints=20, seed=7, people=People(conversations=600, turns=4, apps=20, arrive=20.0, think=5.0))


@cache
def figures(door: str, scene: str) -> Figures:
    run: Mapping[str, Run] = scenes(SMALL)
    what = run[scene]
    if what.loss is not None:
        what = replace(what, loss=Loss(at=20.0, back=35.0), people=replace(SMALL.people, arrive=60.0))
    return Fleet(DOORS[door], what).go()


SCENES = tuple(scenes(SMALL))


@pytest.mark.promise("pool.affinity")
@pytest.mark.parametrize("scene", SCENES)
def test_turns_come_back_and_little_is_read_twice(scene: str):
    pool = figures("pool", scene)
    assert pool.turns > 1500
    lost = 0.1 if "lost" in scene else 0.0
    assert pool.affinity >= 0.95 - lost
    assert pool.hits >= 0.9 * pool.best - lost


@pytest.mark.promise("pool.even")
@pytest.mark.parametrize("scene", SCENES)
def test_the_work_is_spread_as_evenly_as_by_chance(scene: str):
    pool, chance = figures("pool", scene), figures("random", scene)
    assert pool.imbalance <= max(1.35, chance.imbalance + 0.1)
    assert part(pool.waits, 0.99) <= part(chance.waits, 0.99) + 0.1


@pytest.mark.parametrize("other", ["random", "round robin"])
def test_what_was_read_makes_the_first_token_come_sooner_than_blind_placement(other: str):
    pool, blind = figures("pool", SCENES[0]), figures(other, SCENES[0])
    assert pool.hits > 1.5 * blind.hits
    assert part(pool.firsts, 0.5) < 0.8 * part(blind.firsts, 0.5)
    assert part(pool.firsts, 0.99) < part(blind.firsts, 0.99)


@pytest.mark.promise("pool.loss", "pool.return")
def test_what_is_lost_with_engines_is_their_own_and_they_are_used_again():
    pool = figures("pool", "a tenth is lost and comes back")
    assert 0 < pool.lost <= 2 * SMALL.engines.limit
    assert pool.refused == 0
    people = replace(SMALL.people, arrive=60.0)
    for_good = Fleet(DOORS["pool"], replace(SMALL, loss=Loss(at=20.0, back=1e9), people=people)).go()
    assert min(pool.works) > 1.5 * min(for_good.works)


@pytest.mark.promise("pool.full")
def test_more_than_there_is_room_for_is_turned_away_and_served_in_the_end():
    people = People(conversations=400, turns=2, apps=5, arrive=1.0, think=1.0)
    crowded = Fleet(DOORS["pool"], Run(2, 3, Engines(limit=16), people)).go()
    assert crowded.refused > 0
    assert crowded.turns == sum(crowded.works)
    assert crowded.later == crowded.turns - people.conversations


def test_the_same_seed_gives_the_same_figures():
    again = Fleet(DOORS["pool"], scenes(SMALL)[SCENES[0]]).go()
    first = figures("pool", SCENES[0])
    assert (again.cached, again.returned, again.waits) == (first.cached, first.returned, first.waits)
