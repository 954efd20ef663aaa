"""Which buckets a query asks for, and which queries are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.request.usage.reports import Report, bucket_time, cost_report, cursor, usage_report

MINUTE = 60_000_000
DAY = 1440 * MINUTE
NOW = 20_000 * DAY + 5 * MINUTE + 1
TODAY = bucket_time(20_000 * DAY)


def usage(*said: tuple[str, str], now: int = NOW, speeds: bool = False) -> Report:
    return usage_report(said, now, speeds=speeds)


@pytest.mark.parametrize(
    ("width", "usual", "most"), [("1m", 60, 1440), ("1h", 24, 168), ("1d", 7, 31)], ids=["minutes", "hours", "days"]
)
def test_a_page_has_as_many_buckets_as_its_width_allows(width: str, usual: int, most: int) -> None:
    asked = (("starting_at", "2001-01-01T00:00:00Z"), ("bucket_width", width))
    assert len(usage(*asked).starts) == usual
    assert len(usage(*asked, ("limit", str(most))).starts) == most
    with pytest.raises(InvalidRequest, match=rf"^limit: Input should be less than or equal to {most}$"):
        usage(*asked, ("limit", str(most + 1)))


def test_the_bucket_that_is_now_is_the_last_one() -> None:
    found = usage(("starting_at", TODAY))
    assert (list(found.starts), found.next) == ([20_000 * DAY], None)


def test_an_offset_moves_the_moment_and_not_the_buckets() -> None:
    found = usage(("starting_at", "2001-01-02T01:00:00+02:00"), ("limit", "1"))
    assert bucket_time(found.since) == "2001-01-01T00:00:00Z"
    # What a client does not escape of it arrives as a space.
    assert usage(("starting_at", "2001-01-02T01:00:00 02:00"), ("limit", "1")) == found


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("end", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", None])
def test_the_ends_of_the_calendar_are_no_trouble(start: str, end: str | None) -> None:
    for width in ("1m", "1d"):
        said = [("starting_at", start), ("bucket_width", width)] + ([] if end is None else [("ending_at", end)])
        found = usage(*said)
        assert all(bucket_time(at) for at in [*found.starts, found.until])


@given(st.integers(0, 10**6))
def test_a_page_begins_where_the_one_before_has_ended(number: int) -> None:
    since = bucket_time(number * DAY)
    first = usage(("starting_at", since), now=(number + 40) * DAY)
    assert first.next is not None
    second = usage(("starting_at", since), ("page", cursor(first.next)), now=(number + 40) * DAY)
    assert second.since == first.until


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ([], "starting_at: Field required"),
        ([("starting_at", "yesterday")], "starting_at: Input should be a valid datetime"),
        ([("starting_at", "2026-01-01")], "starting_at: Input should have timezone info"),
        ([("starting_at", TODAY), ("bucket_width", "1w")], "bucket_width: Input should be '1m', '1h' or '1d'"),
        ([("starting_at", TODAY), ("group_by[]", "day")], "group_by.0: Input should be 'api_key_id', "),
        ([("starting_at", TODAY), ("group_by[]", "speed")], "group_by.0: Input should be "),
        ([("starting_at", TODAY), ("service_tiers[]", "gold")], "service_tiers.0: Input should be 'standard', "),
        ([("starting_at", TODAY), ("context_window[]", "1M")], "context_window.0: Input should be "),
        ([("starting_at", TODAY), ("speeds[]", "fast")], "speeds: Extra inputs are not permitted"),
        ([("starting_at", TODAY), ("model", "x")], "model: Extra inputs are not permitted"),
        ([("starting_at", TODAY), ("page", "page_x")], "page: this is no cursor of such a report"),
        ([("starting_at", TODAY), ("page", cursor(DAY))], "page: this is no cursor of such a report"),
        ([("starting_at", TODAY), ("page", cursor(NOW))], "page: this is no cursor of such a report"),
    ],
)
def test_what_is_wrong_is_said(said: list[tuple[str, str]], wrong: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        usage(*said)
    assert refused.value.message.startswith(wrong)


def test_costs_are_told_by_days_and_apart_by_two_things() -> None:
    found = cost_report([("starting_at", TODAY), ("group_by[]", "workspace_id"), ("group_by", "description")], NOW)
    assert (found.width, found.by, found.groups) == (DAY, ("workspace",), {"workspace_id", "description"})
    for said in (("bucket_width", "1h"), ("group_by[]", "model"), ("models[]", "x")):
        with pytest.raises(InvalidRequest):
            cost_report([("starting_at", TODAY), said], NOW)
