"""How a host that serves everybody is asked: one at a time, a little apart, and not while it rests."""

import asyncio
from datetime import UTC, datetime

import pytest

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.search.pace import LONGEST_REST, Pace, seconds_of

BUSY = ToolProblem("too_many_requests", "busy")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def paced(interval: float = 0.5) -> tuple[Pace, Time]:
    time = Time()
    return Pace(interval, time, time.sleep), time


@pytest.mark.promise("web-tools.manners")
async def test_requests_begin_so_many_seconds_apart_and_the_first_at_once():
    pace, time = paced()
    begun: list[float] = []
    for _ in range(3):
        async with pace.turn(10):
            begun.append(time.now)
            time.now += 0.2
    assert begun == [100.0, 100.5, 101.0]
    time.now = 500.0
    async with pace.turn(10):
        assert time.now == 500.0


@pytest.mark.promise("web-tools.manners")
async def test_one_request_at_a_time_and_who_waits_too_long_is_told():
    pace, _ = paced(0.0)
    async with pace.turn(10):
        with pytest.raises(ToolProblem) as caught:
            async with pace.turn(0.01):
                raise AssertionError("two at once")
    assert caught.value.code == "too_many_requests"
    async with pace.turn(10):
        pass


@pytest.mark.promise("web-tools.manners")
async def test_while_a_host_rests_nobody_asks_and_each_is_told_why():
    pace, time = paced(0.0)
    async with pace.turn(10):
        waiting = asyncio.create_task(turn(pace))
        await asyncio.sleep(0)
        pace.rest(BUSY, 60)
    for asked in (waiting, asyncio.create_task(turn(pace))):
        with pytest.raises(ToolProblem, match="busy; it is asked again in 60 s") as caught:
            await asked
        assert caught.value.code == "too_many_requests"
    time.now += 59.9
    with pytest.raises(ToolProblem):
        await turn(pace)
    time.now += 0.1
    await turn(pace)


async def test_no_host_is_given_up_for_longer_than_an_hour():
    pace, time = paced(0.0)
    pace.rest(BUSY, 1e9)
    time.now += LONGEST_REST
    await turn(pace)


async def test_a_turn_that_is_cancelled_or_fails_is_the_next_ones():
    pace, _ = paced(0.0)
    with pytest.raises(RuntimeError):
        async with pace.turn(10):
            raise RuntimeError
    async with pace.turn(10):
        waiting = asyncio.create_task(turn(pace))
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.wait([waiting])
    await turn(pace)


async def turn(pace: Pace) -> None:
    async with pace.turn(10):
        pass


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 40, 999_999_999.0),
        ("Sat, 28 Nov 2026 12:01:00 GMT", 60.0),
        ("Sat, 28 Nov 2026 12:01:00", 60.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("Sat, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_seconds_or_a_date_say_when_to_come_again(field: str, seconds: float | None):
    assert seconds_of(field, datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()) == seconds
