"""Who works on what, who waits, and for how long. Time is a number."""

import random

import pytest

from antiphon.engines.remote.placement import Seat, Wish, keys_of
from antiphon.engines.remote.pool import GRACE, PATIENCE, Pool, Ticket
from antiphon.engines.remote.prefixes import marks_of
from antiphon.errors import EngineFault, EngineFull, EngineUnavailable


def prompt(seed: int, length: int = 1000) -> tuple[int, ...]:
    dice = random.Random(seed)
    return tuple(dice.randrange(50_000) for _ in range(length))


class Place:
    """A pool, and what became of all who asked it."""

    def __init__(self, endpoints: int = 2, limit: int = 1, queue: int = 8) -> None:
        keys = keys_of(f"http://engine-{number}" for number in range(endpoints))
        self.pool = Pool([Seat(key, limit, limit) for key in keys], queue=queue)
        self.at: dict[str, int] = {}
        self.failed: dict[str, EngineFault] = {}
        self.tickets: dict[str, Ticket] = {}

    def end(self, name: str, now: float = 1.0, *, keep: bool = False) -> None:
        self.pool.end(self.tickets[name], now, keep=keep)

    def ask(
        self, name: str, tokens: tuple[int, ...] = (), now: float = 0.0, *, tenant: str = "", again: bool = False
    ) -> Ticket:
        def begin(endpoint: int) -> None:
            assert name not in self.at
            self.at[name] = endpoint

        def fail(problem: EngineFault) -> None:
            self.failed[name] = problem

        ticket = Ticket(Wish(marks_of(tokens), name.rstrip("'")), begin, fail, tokens, tenant)
        self.tickets[name] = ticket
        self.pool.ask(ticket, now, again=again)
        return ticket


def test_work_begins_at_once_where_there_is_room_and_else_when_some_ends():
    place = Place(endpoints=2)
    one = place.ask("one")
    place.ask("two")
    place.ask("three")
    assert set(place.at) == {"one", "two"}
    place.pool.end(one, 1.0)
    assert place.at["three"] == place.at["one"]


@pytest.mark.promise("pool.affinity")
def test_a_conversation_waits_a_moment_for_the_endpoint_that_has_read_it():
    place, story = Place(endpoints=2, limit=4), prompt(1)
    first = place.ask("a", story)
    home = place.at["a"]
    others = [place.ask(f"busy {number}") for number in range(7)]
    place.pool.end(first, 0.5)
    blocking = place.ask("blocking", now=0.5)
    assert place.at["blocking"] == home
    place.ask("a'", (*story, 1), now=1.0)
    place.pool.end(next(other for other in others if other.endpoint != home), 1.1)
    assert "a'" not in place.at, "the other has room, and has not read it"
    place.pool.end(blocking, 1.2)
    assert place.at["a'"] == home


@pytest.mark.promise("pool.affinity")
def test_where_all_are_busy_patience_does_not_end():
    place, story = Place(endpoints=2, limit=4), prompt(1)
    first = place.ask("a", story)
    home = place.at["a"]
    others = [place.ask(f"busy {number}") for number in range(7)]
    place.pool.end(first, 0.5)
    blocking = place.ask("blocking", now=0.5)
    place.ask("a'", (*story, 1), now=1.0)
    place.ask("new", now=1.1)
    place.pool.wake(1.0 + PATIENCE)
    place.pool.end(next(other for other in others if other.endpoint != home), 9.0)
    assert place.at["new"] == 1 - home
    assert "a'" not in place.at, "what is new had nothing to lose"
    place.pool.end(blocking, 9.1)
    assert place.at["a'"] == home


def test_beyond_its_patience_it_goes_where_there_is_room():
    place, story = Place(endpoints=2, limit=4), prompt(1)
    first = place.ask("a", story)
    home = place.at["a"]
    others = [place.ask(f"busy {number}") for number in range(7)]
    place.pool.end(first, 0.5)
    place.ask("blocking", now=0.5)
    place.ask("a'", (*story, 1), now=1.0)
    place.pool.end(next(other for other in others if other.endpoint != home), 1.1)
    assert place.pool.next_wake() == 1.0 + PATIENCE
    place.pool.wake(1.0 + PATIENCE)
    assert place.at["a'"] == 1 - home


@pytest.mark.promise("pool.full")
def test_beyond_the_bound_one_is_told_when_to_come_back():
    place = Place(endpoints=1, queue=2)
    for second in range(9):
        place.ask(f"running {second}", now=second)
        if second < 8:
            place.end(f"running {second}", second + 1)
    for name in ("one", "two"):
        place.ask(name, now=8.0)
    with pytest.raises(EngineFull) as full:
        place.ask("three", now=8.0)
    assert full.value.retry_after == pytest.approx(3.0), "two wait, and itself; one ends each second"
    assert place.pool.waiting == 2


@pytest.mark.promise("pool.fair")
def test_a_tenant_that_fills_the_queue_gives_way_to_another():
    place = Place(endpoints=1, queue=3)
    place.ask("running", tenant="many")
    for number in range(3):
        place.ask(f"many {number}", tenant="many")
    few = place.ask("few", tenant="few")
    assert few.queue is not None
    assert list(place.failed) == ["many 2"], "the last that came"
    assert isinstance(place.failed["many 2"], EngineFull)
    with pytest.raises(EngineFull):
        place.ask("many 3", tenant="many")


@pytest.mark.promise("pool.fair")
def test_tenants_take_turns():
    place = Place(endpoints=1)
    place.ask("first", tenant="a")
    for name in ("a1", "a2", "b1", "c1"):
        place.ask(name, tenant=name[0])
    for _ in range(4):
        place.end(list(place.at)[-1])
    assert list(place.at) == ["first", "b1", "c1", "a1", "a2"]


@pytest.mark.promise("pool.no-trace")
def test_who_gives_up_leaves_no_trace():
    place = Place(endpoints=1, queue=1)
    place.ask("running")
    for number in range(5):
        name = f"gone {number}"
        place.pool.leave(place.ask(name, prompt(number)), 0.5)
    place.ask("next")
    assert place.pool.waiting == 1
    place.end("running")
    assert list(place.at) == ["running", "next"]
    place.pool.leave(place.tickets["next"], 2.0)
    place.pool.leave(place.tickets["next"], 2.0)
    assert (place.pool.waiting, place.pool.working(0)) == (0, 0)


def test_what_goes_on_from_work_that_has_ended_goes_first():
    place, story = Place(endpoints=1, queue=1), prompt(1)
    place.ask("reply", story)
    place.ask("other")
    place.end("reply", keep=True)
    assert "other" not in place.at
    place.ask("reply'", (*story, 1, 2, 3))
    assert list(place.at) == ["reply", "reply'"]
    place.end("reply'")
    assert list(place.at)[-1] == "other"


def test_a_place_is_kept_for_a_moment_only():
    place, story = Place(endpoints=1), prompt(1)
    place.ask("reply", story)
    place.ask("other")
    place.end("reply", 1.0, keep=True)
    assert place.pool.next_wake() == 1.0 + GRACE
    place.pool.wake(1.0 + GRACE)
    assert list(place.at) == ["reply", "other"]
    assert place.pool.next_wake() is None


@pytest.mark.promise("pool.loss")
def test_who_waits_for_an_endpoint_that_is_lost_goes_elsewhere():
    place, story = Place(endpoints=2, limit=4), prompt(1)
    place.ask("a", story)
    home = place.at["a"]
    for number in range(7):
        place.ask(f"busy {number}")
    place.end("a", 0.5)
    place.ask("blocking", now=0.5)
    place.ask("a'", (*story, 1), now=0.6)
    place.end(next(name for name, at in place.at.items() if at != home), 0.7)
    assert "a'" not in place.at
    place.pool.close(home, 1.0)
    assert place.at["a'"] == 1 - home
    place.end("blocking", 1.5)
    place.ask("later", now=2.0)
    assert "later" not in place.at, "a closed endpoint begins nothing"
    place.pool.reopen(home, 5.0)
    assert place.at["later"] == home


def test_without_any_endpoint_work_waits_until_one_comes_or_it_is_given_up():
    place = Place(endpoints=2)
    place.pool.close(0, 0.0)
    place.pool.close(1, 0.0)
    place.ask("early")
    place.pool.reopen(1, 5.0)
    assert place.at == {"early": 1}
    place.pool.close(1, 1.0)
    place.ask("late")
    place.pool.abandon("nobody is there")
    assert isinstance(place.failed["late"], EngineUnavailable)
    assert place.pool.waiting == 0


def test_what_was_lost_before_it_began_is_not_turned_away():
    place = Place(endpoints=2, queue=1)
    for name in ("one", "two", "three", "four"):
        place.ask(name)
    again = place.ask("again", again=True)
    assert again.queue is not None


@pytest.mark.parametrize("seed", range(8))
def test_nobody_is_lost_or_forgotten_whatever_happens(seed: int):
    dice = random.Random(seed)
    place, now, asked = Place(endpoints=3, limit=2, queue=4), 0.0, 0
    pool = place.pool
    stories = [prompt(number, 300) for number in range(6)]
    for _ in range(3000):
        now += dice.random() * 0.3
        if (due := pool.next_wake()) is not None and due <= now:
            pool.wake(now)
        move = dice.random()
        live = [name for name, ticket in place.tickets.items() if ticket.working or ticket.queue is not None]
        if move < 0.45:
            asked += 1
            tokens = (*dice.choice(stories), *range(dice.randrange(40)))
            try:
                place.ask(f"{asked}", tokens, now, tenant=dice.choice("abc"))
            except EngineFull:
                del place.tickets[f"{asked}"]
        elif move < 0.9 and live:
            ticket = place.tickets.pop(dice.choice(live))
            if ticket.working and dice.random() < 0.7:
                pool.end(ticket, now, keep=dice.random() < 0.3)
            else:
                pool.leave(ticket, now)
        elif move < 0.95:
            pool.close(dice.randrange(3), now, forget=dice.random() < 0.5)
        else:
            pool.reopen(dice.randrange(3), 5.0)
        waiting = [ticket for ticket in place.tickets.values() if ticket.queue is not None]
        assert pool.waiting == len(waiting)
        for number in range(3):
            assert (
                pool.working(number) == sum(t.working and t.endpoint == number for t in place.tickets.values()) <= 2
            )
    for number in range(3):
        pool.reopen(number, 5.0)
    pool.wake(now + 100)
    while live := [ticket for ticket in place.tickets.values() if ticket.working]:
        pool.end(live[0], now)
    assert not [ticket for ticket in place.tickets.values() if ticket.queue is not None]
    assert all(seat.load == 0 for seat in pool.seats)
    assert pool.next_wake() is None
