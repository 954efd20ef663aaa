"""Who is next, and how long the rest will take."""

import pytest

from antiphon.engines.waiting import LEAST_SECONDS, MOST_SECONDS, FairQueue, Pace, Turns


def drained(queue: FairQueue[str], tenants: dict[str, str]) -> list[str]:
    """The items in the order in which they have their turns."""
    order: list[str] = []
    while (item := queue.first()) is not None:
        order.append(item)
        queue.serve(tenants[item], item)
    return order


@pytest.mark.promise("pool.fair")
def test_tenants_take_turns_and_each_ones_own_keep_their_order():
    queue, tenants = FairQueue[str](), dict[str, str]()
    for tenant, item in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("b", "b2"), ("c", "c1")]:
        queue.add(tenant, item)
        tenants[item] = tenant
    assert drained(queue, tenants) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_one_tenant_alone_is_served_in_the_order_of_arrival():
    queue = FairQueue[str]()
    for item in "xyz":
        queue.add("", item)
    assert drained(queue, dict.fromkeys("xyz", "")) == ["x", "y", "z"]


def test_who_was_served_elsewhere_comes_behind_where_queues_share_turns():
    turns = Turns()
    one, other = FairQueue[str](turns), FairQueue[str](turns)
    one.add("a", "a1")
    one.serve("a", "a1")
    other.add("a", "a2")
    other.add("b", "b1")
    assert other.first() == "b1"


def test_who_leaves_leaves_no_trace():
    queue = FairQueue[str]()
    queue.add("a", "a1")
    queue.add("b", "b1")
    queue.drop("a", "a1")
    queue.drop("a", "a1")
    assert (len(queue), queue.first(), "a1" in queue, list(queue)) == (1, "b1", False, ["b1"])
    queue.add("a", "a2")
    assert queue.first() == "b1", "leaving was no turn, and coming back is at the end"


def test_the_pace_of_what_ended_says_how_long_the_rest_takes():
    pace = Pace()
    for second in range(10):
        pace.ended(second * 0.5)
    assert pace.seconds(10, now=4.5) == pytest.approx(5.0)


def test_where_nothing_ends_any_more_the_estimate_grows_and_stays_within_bounds():
    pace = Pace()
    assert LEAST_SECONDS <= pace.seconds(5, now=0.0) <= MOST_SECONDS
    pace.ended(0.0)
    pace.ended(0.1)
    assert pace.seconds(1, now=0.1) == LEAST_SECONDS
    assert pace.seconds(10, now=2.0) == pytest.approx(20.0)
    assert pace.seconds(100, now=1000.0) == MOST_SECONDS
