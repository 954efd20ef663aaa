"""Rules: which is broken, over how much text, and in how much time."""

import time

import pytest

from antiphon.config import GuardRule
from antiphon.ports.guard import Decline
from antiphon.service.guard.rules import LOOKS_BACK, Rules

ANY = ("claude-opus-4-8",)


def judged(rules: Rules, text: str, *names: str) -> Decline | None:
    """What becomes of a request in these words."""
    judge = rules.for_requests(names or ANY)
    return None if judge is None else judge(text)


def test_the_first_broken_rule_is_told() -> None:
    rules = Rules([GuardRule("a", ("apple",), category="bio"), GuardRule("b", ("pear", "plum"), explanation="No.")])
    assert judged(rules, "plum and apple") == Decline("bio", None)
    assert judged(rules, "a plum") == Decline(None, "No.")
    assert judged(rules, "cherry") is None


def test_rules_for_one_side_do_not_read_the_other() -> None:
    asked = Rules([GuardRule("a", ("apple",), "request")])
    assert asked.watch(ANY) is None
    answered = Rules([GuardRule("a", ("apple",), "reply")])
    assert judged(answered, "apple") is None
    watch = answered.watch(ANY)
    assert watch is not None
    assert watch.add(["an ", "apple", " and"]) == (1, Decline())


@pytest.mark.parametrize("most", [1, 5])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_what_comes_in_pieces_is_found_whole(size: int, most: int) -> None:
    watch = Rules([GuardRule("a", (r"\bprojekt über\b",))]).watch(ANY)
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
    assert judged(rules, "a" * 100_000 + "b") is None
    # A backtracking engine would not have ended before the sun does.
    assert time.process_time() - before < 5


@pytest.mark.promise("guard.models")
def test_a_rule_holds_for_the_models_that_it_names() -> None:
    rules = Rules([GuardRule("a", ("apple",), models=("claude-opus-*", "mine")), GuardRule("b", ("apple",), "reply")])
    assert judged(rules, "apple", "claude-opus-4-8") == Decline()
    assert judged(rules, "apple", "an alias", "mine") == Decline()
    assert rules.for_requests(("claude-haiku-4-5",)) is None
    watch = rules.watch(("claude-haiku-4-5",))
    assert watch is not None
    assert watch.add(["apple"]) == (0, Decline())


def test_a_rule_for_other_models_does_not_hide_the_next_one() -> None:
    rules = Rules([GuardRule("a", ("apple",), models=("x",)), GuardRule("b", ("apple",), category="bio")])
    assert judged(rules, "apple", "y") == Decline("bio")
