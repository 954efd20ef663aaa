"""What is accepted from a known client that cannot do what the API asks of it, and from nobody else.

A row goes when the client's users have moved on to a version that does better.
"""

import re
from dataclasses import dataclass
from typing import Final

from antiphon.request.case import Case


@dataclass(frozen=True, slots=True)
class Accommodation:
    """One row of the table. `agent`: how the client calls itself in its user-agent header, before the version.

    `before`: the first version that is known to need it no more.
    """

    client: str
    agent: str
    before: tuple[int, ...]
    accepted: str
    why: str


DROPPED_THOUGHT: Final = Accommodation(
    client="Claude Code",
    agent="claude-cli",
    before=(2, 1, 330),
    accepted="With a thinking budget, a turn that goes on with tool results may have lost the thinking block that it "
    "began with.",
    why="Version 2.1.197, as npm installs it on Node 20, drops the block for every base URL but the vendor's, "
    "whatever its signature; each of its tool loops would end in a 400. 2.1.330 keeps the block.",
)

ACCOMMODATIONS: Final = (DROPPED_THOUGHT,)
"""The table, as the compatibility page shows it."""

# As many digits as a version may have; more are none.
_VERSION: Final = r"/(\d{1,6}(?:\.\d{1,6}){0,3})(?![\d.])"


def is_due(case: Case, accommodation: Accommodation) -> bool:
    """Whether the request comes from the client that it is for, and the owner lets it pass."""
    if not case.latitude.accommodations:
        return False
    named = re.match(re.escape(accommodation.agent) + _VERSION, case.context.client)
    return named is not None and tuple(map(int, named[1].split("."))) < accommodation.before
