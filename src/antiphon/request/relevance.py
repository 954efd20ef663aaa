"""Which rungs have anything to say: a rule about what a request does not hold cannot fail.

What a request holds are words: the keys that it has set, the types of its blocks, the roles of its messages. Most
requests hold few of them, and nearly all hold the same ones again, so that the rungs for them are found once.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from antiphon.request.case import Case, Rule

MORE_THAN_TEXT: Final = "more than text"
"""The word of a conversation with a block that is no text."""

Rungs = Callable[[Case], tuple[Rule, ...]]


def relevant(ladder: tuple[Rule, ...], about: Mapping[Rule, frozenset[str]]) -> Rungs:
    """Picks the rungs of a ladder, in its order, that a request can fail at: those that are `about` a word that it
    holds, and those that are about every request."""
    words = frozenset[str]().union(*about.values())

    @lru_cache(maxsize=1024)
    def rungs(held: frozenset[str]) -> tuple[Rule, ...]:
        return tuple(rule for rule in ladder if rule not in about or not about[rule].isdisjoint(held))

    return lambda case: rungs(held(case) & words)


def held(case: Case) -> frozenset[str]:
    """What the request holds, in words."""
    request, kinds = case.request, case.kinds
    roles = {message.role for message in request.messages}
    more = () if kinds <= {"text"} else (MORE_THAN_TEXT,)
    return kinds.union(request.model_fields_set, map(by_role, roles), more)


def by_role(role: str) -> str:
    """The word of a conversation with a message of this role."""
    return f"{role} message"
