"""Rules: regular expressions that decline. They run in linear time (RE2), so that no text holds the server up."""

from collections.abc import Callable, Sequence, Set
from typing import Any, Final, cast

from antiphon.config import ConfigError, GuardRule
from antiphon.ports.guard import Decline
from antiphon.service.served import fits

LOOKS_BACK: Final = 400
"""Characters of a reply that a pattern may span; what was said longer ago is not looked at again."""


class Rules:
    """Compiled rules. Raises `ConfigError` for a pattern that is none."""

    def __init__(self, rules: Sequence[GuardRule]) -> None:
        self._requests = _Patterns([rule for rule in rules if rule.of != "reply"])
        self._replies = _Patterns([rule for rule in rules if rule.of != "request"])

    def for_requests(self, names: Sequence[str]) -> Callable[[str], Decline | None] | None:
        """What says whether words of users are declined for a model with these names; None: nothing would be."""
        return self._requests.judge(names)

    def watch(self, names: Sequence[str]) -> "RuleWatch | None":
        """A reader of one reply of a model with these names, None where no rule is for its replies."""
        judge = self._replies.judge(names)
        return None if judge is None else RuleWatch(judge)


class RuleWatch:
    """Reads one reply as it grows. `judge`: says whether a text is declined."""

    def __init__(self, judge: Callable[[str], Decline | None]) -> None:
        self._judge = judge
        self._tail = ""

    def add(self, texts: Sequence[str]) -> tuple[int, Decline] | None:
        """See `Watch`."""
        before = self._tail
        read = before + "".join(texts)
        declined = self._judge(read)
        if declined is None:
            self._tail = read[-LOOKS_BACK:]
            return None
        for at, text in enumerate(texts):
            before += text
            declined = self._judge(before)
            if declined is not None:
                return at, declined
        raise AssertionError("what was found in all of it is in one of its beginnings")


class _Patterns:
    """Patterns of several rules, looked for at once."""

    def __init__(self, rules: Sequence[GuardRule]) -> None:
        self._rules = rules
        self._of = [rule for rule in rules for _ in rule.match]
        self._set: Any = _compiled(rules) if rules else None

    def judge(self, names: Sequence[str]) -> Callable[[str], Decline | None] | None:
        """What finds the first rule for a model with these names that a text breaks; None: no rule is for it."""
        rules = {rule.name for rule in self._rules if fits(rule.models, names)}
        return (lambda text: self._first(text, rules)) if rules else None

    def _first(self, text: str, rules: Set[str]) -> Decline | None:
        """The first of these rules that the text breaks, in the order of the settings."""
        found: list[int] = self._set.Match(text) or []
        broken = [at for at in found if self._of[at].name in rules]
        if not broken:
            return None
        rule = self._of[min(broken)]
        return Decline(None if rule.category == "none" else rule.category, rule.explanation)


def _compiled(rules: Sequence[GuardRule]) -> Any:
    # A start without rules does not load the library.
    import re2  # pyright: ignore[reportMissingTypeStubs] - it has no types

    engine = cast("Any", re2)
    options = engine.Options()
    options.log_errors = False
    patterns = engine.Set.SearchSet(options)
    for rule in rules:
        for pattern in rule.match:
            try:
                patterns.Add(pattern)
            except engine.error as problem:
                said: object = problem.args[0] if problem.args else problem
                told = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
                raise ConfigError(
                    f"[guard.{rule.name}] match: '{pattern}' is no regular expression: {told}"
                ) from None
    patterns.Compile()
    return patterns
