"""Each check fails on the fault that is planted for it, and a fault makes only those checks fail that are about it.

A check is a function of the answers to its requests. So a fault can only change what those checks say of which it
changes an answer, and only these are tried.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon.conformance.api import MESSAGES
from antiphon.conformance.asking import Answer, Asked, Http
from antiphon.conformance.check import Check
from antiphon.conformance.running import run
from antiphon.conformance.subjects import CHECKS
from tests.conformance.faults import Fault
from tests.conformance.planted import FAULTS
from tests.conformance.replay import Change, Remembering, Replay, key
from tests.conformance.stand import KEY, MODEL, right_server

EXPECTED: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("expected.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Right:
    """A right server's answers, and what each check has asked. `usual`: the answer to the usual request. `senders`: the
    checks that send a request."""

    answers: dict[object, list[Answer]]
    asked: dict[str, list[Asked]]
    usual: Answer
    senders: dict[object, set[str]]

    def answer(self, asked: Asked) -> Answer:
        """What the right server says."""
        return self.answers[key(asked)][0]

    def failed(self, change: Change, checks: list[Check]) -> list[str]:
        """The checks that a change makes fail, of these."""
        report = run(Replay(self.answers, change), KEY, MODEL, checks)
        return [outcome.check.id for outcome in report.outcomes if outcome.verdict == "failed"]

    def touched(self, change: Change) -> list[Check]:
        """The checks of which a change changes an answer."""

        def is_touched(asked: Asked) -> bool:
            found = self.answers[key(asked)]
            return any(change(asked, answer) != answer for answer in (found[0], found[-1]))

        changed = {key(asked): is_touched(asked) for each in self.asked.values() for asked in each}
        return [check for check in CHECKS if any(changed[key(asked)] for asked in self.asked[check.id])]


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Right:
    with right_server(tmp_path_factory.mktemp("data")) as url:
        remembering = Remembering(Http(url, 30))
        assert run(remembering, KEY, MODEL).count("passed") == len(CHECKS)
    asked: dict[str, list[Asked]] = {}
    for check in CHECKS:
        replay = Replay(remembering.answers)
        [outcome] = run(replay, KEY, MODEL, [check]).outcomes
        assert outcome.verdict == "passed", outcome
        asked[check.id] = replay.asked
    usual = next(
        answer
        for each in asked["messages.type"]
        for answer in remembering.answers[key(each)]
        if each.path == MESSAGES and answer.status == 200
    )
    senders: dict[object, set[str]] = {}
    for id_, each in asked.items():
        for one in each:
            senders.setdefault(key(one), set()).add(id_)
    return Right(remembering.answers, asked, usual, senders)


@pytest.mark.promise("conformance.faults")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_by_the_checks_that_are_about_it(right: Right, fault: Fault) -> None:
    assert right.failed(fault.change, right.touched(fault.change)) == EXPECTED[fault.name]


@pytest.mark.promise("conformance.faults")
def test_a_server_that_takes_what_is_wrong_is_found_for_each_wrong_request(right: Right) -> None:
    found = 0
    for check in CHECKS:
        wrong = [asked for asked in right.asked[check.id] if right.answer(asked).status >= 400]
        own = [asked for asked in wrong if only_of(right, check, asked)]
        for asked in own:
            change = answers(asked, right.usual)
            assert right.failed(change, [check]) == [check.id], check.id
            found += 1
    assert found > 110


@pytest.mark.promise("conformance.faults")
def test_a_server_that_refuses_what_is_right_is_found_for_each_right_request(right: Right) -> None:
    refusal = Answer(500, {"content-type": "application/json"}, b'{"type": "error", "error": {"type": "api_error"}}')
    found: set[str] = set()
    for check in CHECKS:
        for asked in right.asked[check.id]:
            if right.answer(asked).status == 200 and only_of(right, check, asked):
                assert right.failed(answers(asked, refusal), [check]) == [check.id], check.id
                found.add(check.id)
    assert len(found) > 40


@pytest.mark.promise("conformance.faults")
def test_every_check_is_named_by_a_fault(right: Right) -> None:
    """By one of the table, or by one that is about the check's own request."""
    named = {check for checks in EXPECTED.values() for check in checks}
    named |= {check.id for check in CHECKS if any(only_of(right, check, asked) for asked in right.asked[check.id])}
    unnamed = [check.id for check in CHECKS if check.id not in named]
    assert not unnamed, unnamed
    assert set(EXPECTED) == {fault.name for fault in FAULTS}
    assert all(EXPECTED.values())


def only_of(right: Right, check: Check, asked: Asked) -> bool:
    """Whether no other check sends this request."""
    return right.senders[key(asked)] == {check.id}


def answers(wanted: Asked, instead: Answer) -> Change:
    """One request is answered otherwise."""
    return lambda asked, answer: instead if key(asked) == key(wanted) else answer
