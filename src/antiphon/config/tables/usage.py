"""`[usage]`: records of what requests came to."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Whole
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """For how many `days` it is kept what requests came to; 0: it is not."""

    days: int = 400


_key = partial(key_of, "usage", UsageSettings())

USAGE: Final = Table(
    "usage",
    "What requests came to, kept for reports of use and of costs. See docs/usage.md.",
    UsageSettings,
    (
        _key(
            "days",
            Whole(0, 36_500, "DAYS"),
            "Days for which it is kept what each request came to; 0 = it is not kept, and there are no reports.",
        ),
    ),
)
