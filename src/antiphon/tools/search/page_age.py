"""Dates as the API writes them."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from antiphon.tools.plain import plain

_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_LONGEST: Final = 60


def page_age(value: Any) -> str | None:
    """`April 30, 2025` for a date in ISO 8601 or as mail has it; other words as they are; None for none."""
    text = plain(value, _LONGEST)
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(text)
        except (ValueError, OverflowError):
            continue
        return f"{_MONTHS[date.month - 1]} {date.day}, {date.year}"
    return text or None
