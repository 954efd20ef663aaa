"""Whether a reply is right. Pure: nothing is asked here.

- `decision`: it calls if and only if it should.
- `tool`: of the cases that should call: the tools called are those wanted, each as often as wanted.
- `arguments`: of the same cases: name and input of every call are exactly those wanted. Order does not matter, 2 and
  2.0 are equal, true and 1 are not, strings are compared as they are.
- `answer`: of the cases that say so: the text has one of the texts that are accepted.
- `cites`: of the cases that have something to cite: it cites at all.
- `place`: of the same cases: all passages wanted are cited, as whole as they are, and nothing else.
- `search`: of the cases with deferred tools: it searches for tools if and only if it has to.
- `found`: of those that have to: the tool wanted is among what its searches found.
- `called`: of the cases with deferred tools: the tool wanted is called, and no other; where none is, nothing.

A case that could not be asked is wrong in all that it would have been looked at for.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from antiphon.clients.evals.cases import Call, Case, Passage, Search

METRICS: Final = ("decision", "tool", "arguments", "answer")

TOTAL: Final = "total"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: calls, and the text blocks as one text. `error`: why nothing came, empty if something did.

    `cites`: what its texts cite; `searches`: how often it searched for tools, and `found`: the names that came of it.
    """

    calls: tuple[Call, ...] = ()
    text: str = ""
    error: str = ""
    cites: tuple[Passage, ...] = ()
    searches: int = 0
    found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case with the reply to it, and whether it is right by each metric that applies."""

    case: Case
    reply: Reply
    verdict: Mapping[str, bool]

    @property
    def is_right(self) -> bool:
        """Right in everything."""
        return all(self.verdict.values())


@dataclass(frozen=True, slots=True)
class Score:
    """So many were right, of so many that were looked at."""

    right: int
    of: int


def judge(case: Case, reply: Reply) -> Outcome:
    """Whether the reply is right, by each metric that applies to the case."""
    verdict: dict[str, bool] = {}
    if case.calls is not None:
        verdict["decision"] = bool(case.calls) == bool(reply.calls)
    if case.calls:
        verdict["tool"] = Counter(call.name for call in case.calls) == Counter(call.name for call in reply.calls)
        verdict["arguments"] = _multiset(case.calls) == _multiset(reply.calls)
    if case.says:
        verdict["answer"] = any(_says(reply.text, text, whole_words=case.whole_words) for text in case.says)
    if case.cites:
        verdict["cites"] = bool(reply.cites)
        verdict["place"] = _passages(case.cites) == _passages(reply.cites)
    if case.search is not None:
        verdict |= _search(case.search, reply)
    if reply.error:
        verdict = dict.fromkeys(verdict, False)
    return Outcome(case, reply, verdict)


def _search(wanted: Search, reply: Reply) -> dict[str, bool]:
    verdict = {"search": bool(wanted.finds) == bool(reply.searches)}
    if wanted.finds:
        verdict["found"] = wanted.finds in reply.found
    verdict["called"] = {call.name for call in reply.calls} == ({wanted.calls} if wanted.calls else set())
    return verdict


def _passages(passages: Iterable[Passage]) -> set[tuple[int, str]]:
    return {(passage.source, passage.text.strip()) for passage in passages}


def tally(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Score]]:
    """Category → metric → score, in the order of the outcomes; `TOTAL` last. Metrics of no case are left out."""
    counted: dict[str, dict[str, Score]] = {}
    total: dict[str, Score] = {}
    for outcome in outcomes:
        category = counted.setdefault(outcome.case.category, {})
        for metric, right in outcome.verdict.items():
            for scores in (category, total):
                before = scores.get(metric, Score(0, 0))
                scores[metric] = Score(before.right + right, before.of + 1)
    return {**counted, TOTAL: total}


def _multiset(calls: Iterable[Call]) -> Counter[Hashable]:
    return Counter((call.name, _comparable(call.input)) for call in calls)


def _comparable(value: Any) -> Hashable:
    """A JSON value as one that is equal to another exactly when both are the same JSON."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return ("object", frozenset((key, _comparable(item)) for key, item in items))
    if isinstance(value, list | tuple):
        return ("list", tuple(_comparable(item) for item in cast("Iterable[Any]", value)))
    return value


def _says(reply: str, text: str, *, whole_words: bool) -> bool:
    if not whole_words:
        return text.casefold() in reply.casefold()
    return re.search(rf"(?<!\w){re.escape(text.casefold())}(?!\w)", reply.casefold()) is not None
