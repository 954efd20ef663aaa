"""Rules: regular expressions that decline. They run in linear time (RE2), so that no text holds the server up."""

from collections.abc import Sequence
from typing import Any, Final, cast

from antiphon.config import ConfigError, GuardRule
from antiphon.ports.guard import Decline

LOOKS_BACK: Final = 400
"""Characters of a reply that a pattern may span; what was said longer ago is not looked at again."""


class Rules:
    """Compiled rules. Raises `ConfigError` for a pattern that is none."""

    def __init__(self, rules: Sequence[GuardRule]) -> None:
        self._requests = _Patterns([rule for rule in rules if rule.of != "reply"])
        self._replies = _Patterns([rule for rule in rules if rule.of != "request"])

    @property
    def for_requests(self) -> bool:
        """Whether any rule reads what users say."""
        return bool(self._requests)

    def judge(self, text: str) -> Decline | None:
        """Whether what users said is declined."""
        return self._requests.first(text)

    def watch(self) -> "RuleWatch | None":
        """A reader of one reply, None where no rule is for replies."""
        return RuleWatch(self._replies) if self._replies else None


class RuleWatch:
    """Reads one reply as it grows."""

    def __init__(self, patterns: "_Patterns") -> None:
        self._patterns = patterns
        self._tail = ""

    def add(self, texts: Sequence[str]) -> tuple[int, Decline] | None:
        """See `Watch`."""
        before = self._tail
        read = before + "".join(texts)
        declined = self._patterns.first(read)
        if declined is None:
            self._tail = read[-LOOKS_BACK:]
            return None
        for at, text in enumerate(texts):
            before += text
            declined = self._patterns.first(before)
            if declined is not None:
                return at, declined
        raise AssertionError("what was found in all of it is in one of its beginnings")


class _Patterns:
    """Patterns of several rules, looked for at once."""

    def __init__(self, rules: Sequence[GuardRule]) -> None:
        self._of = [rule for rule in rules for _ in rule.match]
        self._set: Any = _compiled(rules) if rules else None

    def __bool__(self) -> bool:
        return self._set is not None

    def first(self, text: str) -> Decline | None:
        """The first rule that the text breaks, in the order of the settings."""
        if self._set is None:
            return None
        found: list[int] = self._set.Match(text)
        if not found:
            return None
        rule = self._of[min(found)]
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
