"""A rung is climbed only by requests that hold what it is about."""

import orjson

from antiphon.request.case import Case, Rule
from antiphon.request.intake import parse_create
from antiphon.request.ladder import ABOUT, RUNGS
from antiphon.request.relevance import relevant
from antiphon.request.rules import caching, emptiness, pairing, unbuilt
from tests.request.requests import LOCAL, Json, assistant, body, call, context, local, result, user


def climbed(request: Json) -> tuple[Rule, ...]:
    headers = context()
    return relevant(RUNGS, ABOUT)(Case(parse_create(orjson.dumps(request), headers), local(), headers))


def test_words_of_a_user_climb_only_what_every_request_climbs() -> None:
    assert climbed(body(user(), model=LOCAL)) == tuple(rung for rung in RUNGS if rung not in ABOUT)


def test_what_a_request_holds_adds_its_rungs_in_the_ladder_s_order() -> None:
    rungs = climbed(body(user(), assistant([call("toolu_1")]), user([result("toolu_1")]), model=LOCAL, container="c"))
    assert {pairing.calls_and_results, emptiness.no_trailing_whitespace, unbuilt.blocks, caching.markers} <= set(
        rungs
    )
    assert caching.markers_in_a_thread not in rungs
    assert list(rungs) == [rung for rung in RUNGS if rung in rungs]


def test_every_rung_that_is_about_something_stands_on_the_ladder() -> None:
    assert ABOUT.keys() <= set(RUNGS)
