"""Rules: which is broken, over how much text, and in how much time."""

import time

import pytest

from antiphon.config import GuardRule
from antiphon.ports.guard import Decline
from antiphon.service.guard.rules import LOOKS_BACK, Rules


def test_the_first_broken_rule_is_told() -> None:
    rules = Rules([GuardRule("a", ("apple",), category="bio"), GuardRule("b", ("pear", "plum"), explanation="No.")])
    assert rules.judge("plum and apple") == Decline("bio", None)
    assert rules.judge("a plum") == Decline(None, "No.")
    assert rules.judge("cherry") is None


def test_rules_for_one_side_do_not_read_the_other() -> None:
    asked = Rules([GuardRule("a", ("apple",), "request")])
    assert asked.watch() is None
    answered = Rules([GuardRule("a", ("apple",), "reply")])
    assert answered.judge("apple") is None
    watch = answered.watch()
    assert watch is not None
    assert watch.add(["an ", "apple", " and"]) == (1, Decline())


@pytest.mark.parametrize("most", [1, 5])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_what_comes_in_pieces_is_found_whole(size: int, most: int) -> None:
    watch = Rules([GuardRule("a", (r"\bprojekt über\b",))]).watch()
    assert watch is not None
    text = "x " * LOOKS_BACK + "projekt über alles"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    together = [pieces[at : at + most] for at in range(0, len(pieces), most)]
    found = [(at * most + said[0]) for at, some in enumerate(together) if (said := watch.add(some)) is not None]
    assert found
    assert abs(found[0] * size - text.index(" alles")) <= size


@pytest.mark.promise("guard.linear")
def test_a_pattern_that_ruins_other_engines_takes_no_time() -> None:
    rules = Rules([GuardRule("a", ("(a+)+$",))])
    before = time.process_time()
    assert rules.judge("a" * 100_000 + "b") is None
    # A backtracking engine would not have ended before the sun does.
    assert time.process_time() - before < 5
