"""A run: every check that is asked for, against one server, and what came of each."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

from antiphon.conformance.api import Api, well
from antiphon.conformance.asking import Transport
from antiphon.conformance.check import Check, Failed, Skipped, listed
from antiphon.conformance.subjects import CHECKS, PROBES
from antiphon.words import WANTED_KEY

Verdict = Literal["passed", "failed", "skipped"]
ORDERED: Final = frozenset({"batches", "files"})
"""Subjects whose checks change what the others see: each of these is tried by itself, in its order."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a check. `words`: what was seen, or why it was skipped."""

    check: Check
    verdict: Verdict
    words: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run."""

    url: str
    model: str
    outcomes: tuple[Outcome, ...]
    seconds: float

    def count(self, verdict: Verdict) -> int:
        """How many checks ended so."""
        return sum(outcome.verdict == verdict for outcome in self.outcomes)


def chosen(only: Sequence[str]) -> tuple[Check, ...]:
    """The checks of these subjects or ids; all where there are none. Raises `LookupError` with an unknown one."""
    for name in only:
        if not any(name in (check.id, check.subject) for check in CHECKS):
            raise LookupError(name)
    return tuple(check for check in CHECKS if not only or {check.id, check.subject} & {*only})


def first_model(transport: Transport, key: str) -> str:
    """The first model that the server lists. Raises `Failed`."""
    answer = Api(transport, key, "").ask("GET", "/v1/models")
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise Failed(f"the key is refused; {WANTED_KEY}")
    try:
        found = listed(well(answer).get("data"))
    except Failed as problem:
        raise Failed(f"{problem}; --model says whom to ask") from None
    if not found:
        raise Failed("the server lists no model; --model says whom to ask")
    return str(found[0]["id"])


def run(
    transport: Transport,
    key: str,
    model: str,
    checks: Sequence[Check] = CHECKS,
    *,
    url: str = "",
    parallel: int = 1,
    told: Callable[[Outcome], None] = lambda _: None,
) -> Report:
    """Try the checks. `told` hears of each when it has ended."""
    began = time.monotonic()
    api = Api(transport, key, model)
    api.probes = PROBES

    def tried(group: Iterable[Check]) -> list[Outcome]:
        found: list[Outcome] = []
        for check in group:
            found.append(_outcome(check, api))
            told(found[-1])
        return found

    groups = _groups(checks)
    if parallel == 1:
        parts = [tried(group) for group in groups]
    else:
        with ThreadPoolExecutor(parallel) as pool:
            parts = list(pool.map(tried, groups))
    places = {check.id: place for place, check in enumerate(checks)}
    outcomes = sorted((outcome for part in parts for outcome in part), key=lambda one: places[one.check.id])
    return Report(url, model, tuple(outcomes), time.monotonic() - began)


def _groups(checks: Sequence[Check]) -> list[list[Check]]:
    groups = [[check for check in checks if check.subject == subject] for subject in sorted(ORDERED)]
    return [group for group in groups if group] + [[check] for check in checks if check.subject not in ORDERED]


def _outcome(check: Check, api: Api) -> Outcome:
    began = time.monotonic()
    verdict: Verdict = "passed"
    words = ""
    try:
        check.trial(api)
    except Failed as failure:
        verdict, words = "failed", str(failure)
    except Skipped as lack:
        verdict, words = "skipped", str(lack)
    except (LookupError, TypeError, ValueError, AttributeError) as surprise:
        # An answer of another shape than the check took for granted.
        verdict, words = "failed", f"the answer has another shape: {type(surprise).__name__}: {surprise}"
    return Outcome(check, verdict, words, time.monotonic() - began)
