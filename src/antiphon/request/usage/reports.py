"""Which report of use or of costs a query asks for.

Source: Admin API reference, Get Messages Usage Report and Get Cost Report.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from antiphon.errors import InvalidRequest
from antiphon.ports.usage import Dimension
from antiphon.request.pages import limit_of

Query = Sequence[tuple[str, str]]
"""A query's parameters, in order."""

SPEED: Final = "standard"
"""The speed of every reply here."""

_MINUTE: Final = 60_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_END: Final = 253_402_214_400_000_000
"""The last day that a calendar has, in microseconds."""

_PREFIX: Final = "page_"
_MOST_CURSOR: Final = 64


@dataclass(frozen=True, slots=True)
class _Width:
    micros: int
    usual: int
    most: int


_WIDTHS: Final = MappingProxyType(
    {"1m": _Width(_MINUTE, 60, 1440), "1h": _Width(60 * _MINUTE, 24, 168), "1d": _Width(1440 * _MINUTE, 7, 31)}
)
_DIMENSIONS: Final[dict[str, Dimension]] = {
    "api_key_id": "key",
    "workspace_id": "workspace",
    "model": "model",
    "service_tier": "tier",
    "context_window": "window",
    "inference_geo": "geo",
}
_FILTERS: Final = MappingProxyType(
    {
        "api_key_ids": "api_key_id",
        "workspace_ids": "workspace_id",
        "models": "model",
        "service_tiers": "service_tier",
        "context_window": "context_window",
        "inference_geos": "inference_geo",
    }
)
_ABSENT: Final = ("account_ids", "service_account_ids")
"""Filters by what nothing here has."""

_GROUPS: Final = (*_DIMENSIONS, "account_id", "service_account_id")
_VALUES: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "service_tiers": ("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount"),
        "context_window": ("0-200k", "200k-1M"),
        "speeds": (SPEED, "fast"),
    }
)


@dataclass(frozen=True, slots=True)
class Report:
    """The page of a report. Its buckets are `width` long, from `since` to `until`; moments are microseconds since the
    epoch. `next`: where the next page begins, None where this is the last. `groups`: what is told apart, as the API
    calls it, `by` those of them that records have. `only`: values of which a record has to have one; None: no record
    has what is asked for."""

    since: int
    until: int
    width: int
    next: int | None
    groups: frozenset[str] = frozenset()
    by: tuple[Dimension, ...] = ()
    only: Mapping[Dimension, Sequence[str]] | None = field(default_factory=dict[Dimension, Sequence[str]])

    @property
    def starts(self) -> range:
        """When its buckets begin."""
        return range(self.since, self.until, self.width)


def usage_report(query: Query, now: int, *, speeds: bool) -> Report:
    """What is asked of use. `speeds`: these may be asked for. Raises `InvalidRequest`."""
    lists = [*_FILTERS, *_ABSENT, "group_by", *(["speeds"] if speeds else [])]
    said, listed = _read(query, lists)
    groups = (*_GROUPS, *(["speed"] if speeds else []))
    for name, allowed in {**_VALUES, "group_by": groups}.items():
        for number, value in enumerate(listed.get(name, ())):
            _check(f"{name}.{number}", value, allowed)
    return _page(said, now, tuple(_WIDTHS), listed, _only(listed))


def cost_report(query: Query, now: int) -> Report:
    """What is asked of costs. Raises `InvalidRequest`."""
    said, listed = _read(query, ["group_by"])
    for number, value in enumerate(listed.get("group_by", ())):
        _check(f"group_by.{number}", value, ("workspace_id", "description"))
    return _page(said, now, ("1d",), listed, {})


def cursor(since: int) -> str:
    """Where the next page begins, as clients carry it there."""
    return _PREFIX + base64.urlsafe_b64encode(bucket_time(since).encode()).decode().rstrip("=")


def bucket_time(at: int) -> str:
    """When a bucket begins or ends, as it travels."""
    return (_EPOCH + at * _MICRO).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(query: Query, lists: Sequence[str]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """What a query says once, and what it says in lists."""
    scalars = ("starting_at", "ending_at", "bucket_width", "limit", "page", "beta")
    said: dict[str, str] = {}
    listed: dict[str, tuple[str, ...]] = {}
    for spelled, value in query:
        name = spelled.removesuffix("[]")
        if name in lists:
            listed[name] = tuple(dict.fromkeys((*listed.get(name, ()), value)))
        elif spelled not in scalars:
            # A filter that counts for nothing would make the sums wrong.
            raise InvalidRequest(f"{name}: Extra inputs are not permitted")
        elif value:
            said[name] = value
    return said, listed


def _only(listed: Mapping[str, Sequence[str]]) -> dict[Dimension, Sequence[str]] | None:
    if any(name in listed for name in _ABSENT) or SPEED not in listed.get("speeds", (SPEED,)):
        return None
    only: dict[Dimension, Sequence[str]] = {}
    for name, group in _FILTERS.items():
        if name in listed:
            # PostgreSQL takes no text with such a letter, and no record has one.
            only[_DIMENSIONS[group]] = [value for value in listed[name] if "\0" not in value]
    return only


def _page(
    said: Mapping[str, str],
    now: int,
    widths: Sequence[str],
    listed: Mapping[str, Sequence[str]],
    only: Mapping[Dimension, Sequence[str]] | None,
) -> Report:
    if "starting_at" not in said:
        raise InvalidRequest("starting_at: Field required")
    wanted = said.get("bucket_width", "1d")
    _check("bucket_width", wanted, widths)
    width = _WIDTHS[wanted]
    limit = limit_of(said.get("limit"), width.most, width.usual)
    since = _snapped(min(max(0, _moment(said, "starting_at")), _END), width)
    if "ending_at" in said:
        # Buckets that end by then; without a word, up to the one that is now.
        until = _snapped(_moment(said, "ending_at"), width)
    else:
        until = _snapped(now, width) + width.micros
    until = min(until, _snapped(_END, width))
    begin = since if "page" not in said else _continued(said["page"], since, width)
    end = max(begin, min(until, begin + limit * width.micros))
    groups = frozenset(listed.get("group_by", ()))
    by: tuple[Dimension, ...] = tuple(dimension for name, dimension in _DIMENSIONS.items() if name in groups)
    return Report(begin, end, width.micros, end if end < until else None, groups, by, only)


def _snapped(at: int, width: _Width) -> int:
    return at - at % width.micros


def _moment(said: Mapping[str, str], name: str) -> int:
    try:
        found = datetime.fromisoformat(said[name].replace(" ", "+"))  # a + that a client did not escape
    except ValueError:
        raise InvalidRequest(f"{name}: Input should be a valid datetime") from None
    if found.tzinfo is None:
        raise InvalidRequest(f"{name}: Input should have timezone info")
    return (found - _EPOCH) // _MICRO


def _continued(said: str, since: int, width: _Width) -> int:
    """Where a page begins that an earlier one has named."""
    text = said.removeprefix(_PREFIX)
    try:
        if text == said or len(said) > _MOST_CURSOR:
            raise ValueError
        spelled = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode("ascii")
        found = _moment({"page": spelled}, "page")
        if found < since or found % width.micros or found > _END or cursor(found) != said:
            raise ValueError
        return found
    except (ValueError, binascii.Error, InvalidRequest):
        raise InvalidRequest("page: this is no cursor of such a report") from None


def _check(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        *others, last = (f"'{word}'" for word in allowed)
        words = f"{', '.join(others)} or {last}" if others else last
        raise InvalidRequest(f"{name}: Input should be {words}")
