"""How much callers may ask for: taken before the work, corrected when it is known what it came to."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

from antiphon.config.tables.limits import Group, LimitRule
from antiphon.dialogue.events import Charge, Finish
from antiphon.errors import ApiError
from antiphon.ports.limits import Buckets, Draw
from antiphon.ports.system import Clock
from antiphon.wire.base import WireContext

Kind = Literal["requests", "input-tokens", "output-tokens"]

MINUTE: Final = 60.0

_SAID: Final[Mapping[Kind, str]] = {
    "requests": "requests per minute",
    "input-tokens": "input tokens per minute",
    "output-tokens": "output tokens per minute",
}
_NAMES: Final = {
    kind: tuple(f"anthropic-ratelimit-{kind}-{part}" for part in ("limit", "remaining", "reset"))
    for kind in (*_SAID, "tokens")
}
_ADVICE: Final = (
    "For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current "
    "usage. Please reduce the prompt length or the maximum tokens requested, or try again later."
)
_MOST_KNOWN: Final = 10_000
"""Kinds of requests, told apart by model and caller, of which it is remembered what bounds them."""

_CROWDED: Final = "Number of concurrent connections has exceeded your rate limit. Please try again later."


class _Bucket(Struct, frozen=True):
    kind: Kind
    key: str
    size: int
    drawn: Draw | None = None
    """What each request draws; None: that differs."""

    def draw(self, need: float, take: float) -> Draw:
        return Draw(self.key, self.size, need, take)


class _Bounds(Struct, frozen=True):
    """What bounds requests of one kind. `crowds`: how many of them there may be at once."""

    buckets: tuple[_Bucket, ...]
    crowds: Mapping[str, int]


@dataclass(slots=True)
class Passed:
    """A request that was let through. `headers`: what its reply says of the limits."""

    limiter: "Limiter"
    buckets: Sequence[_Bucket]
    headers: Mapping[str, str]
    crowds: Sequence[str]
    charged: int = 0
    _over: bool = False

    def began(self, charge: Charge) -> None:
        """So much of the prompt was read: what a cache had is free."""
        used = _used(charge)
        self._settle("input-tokens", used - self.charged)
        self.charged = used

    def ended(self, finish: Finish) -> None:
        """The reply is whole."""
        summaries = [each for each in finish.iterations if each.kind == "compaction"]
        if finish.charge is not None:
            self.began(finish.charge)
        # They are told apart from the rest, and their prompts are read for themselves.
        self._settle("input-tokens", sum(_used(each.charge) for each in summaries))
        self._write(finish.output_tokens + sum(each.output_tokens for each in summaries))

    def broken(self, pieces: int, *, failed: bool) -> None:
        """The reply has ended: where it was not whole, after about so many tokens, which were written for nothing
        where it `failed`."""
        self._write(pieces)

    def forgo(self) -> None:
        """The request was declined before a word was said: it is given back, as if it had never been sent."""
        self._over = True
        self._settle("requests", -1)
        self._settle("input-tokens", -self.charged)
        self.charged = 0

    def release(self) -> None:
        """The request has ended."""
        crowds, self.crowds = self.crowds, ()
        self.limiter.leave(crowds)

    def _write(self, tokens: int) -> None:
        if not self._over:
            self._over = True
            self._settle("output-tokens", tokens)

    def _settle(self, kind: Kind, tokens: int) -> None:
        if not tokens:
            return
        draws = [bucket.draw(0, tokens) for bucket in self.buckets if bucket.kind == kind]
        if draws:
            self.limiter.buckets.settle(draws)


class Limiter:
    """Keeps callers to the limits of the settings. `organization`: the id that errors name."""

    def __init__(self, rules: Sequence[LimitRule], buckets: Buckets, clock: Clock, organization: str) -> None:
        self._rules = tuple(rules)
        self._known: dict[tuple[Group, Sequence[str], str, str], _Bounds | None] = {}
        self.buckets = buckets
        self._clock = clock
        self._organization = organization
        self._crowds: Counter[str] = Counter()

    @property
    def rules(self) -> tuple[LimitRule, ...]:
        """The limits."""
        return self._rules

    @rules.setter
    def rules(self, rules: Sequence[LimitRule]) -> None:
        self._rules = tuple(rules)
        self._known.clear()

    async def admit(
        self, group: Group, context: WireContext, names: tuple[str, ...] = (), tokens: int = 0
    ) -> Passed | None:
        """Let a request through, or raise the API's 429. `names`: of its model; `tokens`: of its prompt. None:
        nothing limits it."""
        bounds = self._bounds(group, context, names)
        if bounds is None:
            return None
        crowds = self._enter(bounds.crowds)
        try:
            headers = await self._draw(bounds.buckets, names, tokens)
        except BaseException:
            self.leave(crowds)
            raise
        return Passed(self, bounds.buckets, headers, crowds, tokens)

    def leave(self, crowds: Iterable[str]) -> None:
        """One less in each of them."""
        for crowd in crowds:
            self._crowds[crowd] -= 1
            if self._crowds[crowd] <= 0:
                del self._crowds[crowd]

    async def aclose(self) -> None:
        """No request comes any more."""
        await self.buckets.aclose()

    def _bounds(self, group: Group, context: WireContext, names: tuple[str, ...]) -> _Bounds | None:
        kind = group, names, context.tenant, context.key
        try:
            return self._known[kind]
        except KeyError:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
        rules = [rule for rule in self._rules if rule.group == group and _fits(rule, names)]
        buckets = tuple(bucket for rule in rules for bucket in _buckets(rule, context))
        crowds = {_subject(rule, context): rule.concurrency for rule in rules if rule.concurrency}
        self._known[kind] = _Bounds(buckets, crowds) if rules else None
        return self._known[kind]

    def _enter(self, crowds: Mapping[str, int]) -> Sequence[str]:
        if not crowds:
            return ()
        if any(self._crowds[crowd] >= most for crowd, most in crowds.items()):
            raise ApiError("rate_limit_error", _CROWDED, headers={"retry-after": "1"})
        self._crowds.update(crowds.keys())
        return list(crowds)

    async def _draw(self, buckets: Sequence[_Bucket], names: Sequence[str], tokens: int) -> Mapping[str, str]:
        if not buckets:
            return {}
        draws = [_draw(bucket, tokens) for bucket in buckets]
        drawn = await self.buckets.draw(draws)
        if drawn is None:
            return {}
        headers = _headers(buckets, drawn.levels, self._clock.now())
        if drawn.granted:
            return headers
        short = [
            ((draw.need - level) * MINUTE / draw.size, bucket)
            for bucket, draw, level in zip(buckets, draws, drawn.levels, strict=True)
            if level < draw.need
        ]
        wait, bucket = max(short, key=lambda each: each[0])
        retry = {"retry-after": str(max(1, math.ceil(wait)))}
        raise ApiError("rate_limit_error", self._said(bucket, names), headers={**headers, **retry})

    def _said(self, bucket: _Bucket, names: Sequence[str]) -> str:
        model = f", model: {names[0]}" if names else ""
        return (
            f"This request would exceed your organization's rate limit of {bucket.size:,} {_SAID[bucket.kind]} "
            f"(org: {self._organization}{model}). {_ADVICE}"
        )


def _used(charge: Charge) -> int:
    return charge.input + charge.brief + charge.lasting


def _fits(rule: LimitRule, names: Sequence[str]) -> bool:
    return not names or any(fnmatchcase(name, each) for name in names for each in rule.models)


def _subject(rule: LimitRule, context: WireContext) -> str:
    match rule.per:
        case "organization":
            return rule.name
        case "workspace":
            return f"{rule.name}:{context.tenant}"
        case "key":
            return f"{rule.name}:{context.tenant}:{context.key}"


def _buckets(rule: LimitRule, context: WireContext) -> list[_Bucket]:
    subject = _subject(rule, context)
    sizes: dict[Kind, int] = {
        "requests": rule.requests_per_minute,
        "input-tokens": rule.input_tokens_per_minute,
        "output-tokens": rule.output_tokens_per_minute,
    }
    # What is written is not known yet: how much it may come to says nothing of it.
    takes: dict[Kind, float] = {"requests": 1, "output-tokens": 0}
    found: list[_Bucket] = []
    for kind, size in sizes.items():
        key = f"{subject}:{kind}"
        if size:
            found.append(_Bucket(kind, key, size, Draw(key, size, 1, takes[kind]) if kind in takes else None))
    return found


def _draw(bucket: _Bucket, tokens: int) -> Draw:
    # A prompt that is larger than the bucket is let through when that is full, and leaves it in debt.
    return bucket.drawn or bucket.draw(min(tokens, bucket.size), tokens)


def _headers(buckets: Sequence[_Bucket], levels: Sequence[float], now: float) -> dict[str, str]:
    """What a reply says: of each kind the tightest limit, of all tokens their sum."""
    tightest: dict[Kind, tuple[int, float, float]] = {}
    for bucket, level in zip(buckets, levels, strict=True):
        kind, size, left = bucket.kind, bucket.size, max(0.0, level)
        known = tightest.get(kind)
        if known is None or left < known[1]:
            tightest[kind] = size, left, now + (size - level) * MINUTE / size
    headers: dict[str, str] = {}
    sizes, lefts, resets = 0, 0.0, 0.0
    for kind, (size, left, reset) in tightest.items():
        if kind == "requests":
            _say(headers, kind, size, math.floor(left), reset)
        else:
            _say(headers, kind, size, round(left / 1000) * 1000, reset)
            sizes, lefts, resets = sizes + size, lefts + left, max(resets, reset)
    if sizes:
        _say(headers, "tokens", sizes, round(lefts / 1000) * 1000, resets)
    return headers


def _say(headers: dict[str, str], kind: str, size: int, remaining: int, reset: float) -> None:
    limit, left, until = _NAMES[kind]
    headers[limit] = str(size)
    headers[left] = str(remaining)
    headers[until] = _spelled(math.ceil(reset))


@lru_cache(maxsize=256)
def _spelled(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
