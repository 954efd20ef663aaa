"""How much one reply may think before it answers: arithmetic over the request and what its model name promises.

Three ways to a budget. A client's own (`enabled`) is kept to the token: `max_tokens` is larger, unless thinking is
interleaved and the budget is one for the whole of the assistant's turn; then what the turn has spent is taken off,
and the reply keeps room for its answer. `adaptive` leaves it to the model, so that the effort decides, and how the
model thinks: see `BUDGETS`. `between_tools` is a short word after results.

Room for the answer: half of `max_tokens`, and never more than `ANSWER`; a reply that is all thought helps nobody.
Source: API reference, Extended thinking; Adaptive thinking; Effort.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from antiphon.dialogue.thinking import OFF, Thinker, Thinking
from antiphon.profiles import Effort, Profile
from antiphon.wire.content.blocks import Block, TextBlock
from antiphon.wire.request import CreateMessage
from antiphon.wire.settings import Thinking as Asked
from antiphon.wire.settings import ThinkingAdaptive, ThinkingBetweenTools, ThinkingDisabled, ThinkingEnabled

Form = Literal["shown", "omitted", "redacted"]

REDACTED_TEST_TEXT: Final = (
    "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_"
    "46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"
)
"""Documented: where the user's last message holds it, the reply's thoughts are redacted, so that a client's handling
of such blocks can be tested."""

ANSWER: Final = 1024
"""Tokens that are enough room for an answer, however long the reply may be."""

LEAST: Final = 128
"""Tokens; below this a thought breaks off before it comes to anything, and the reply does better without it."""

BETWEEN_TOOLS: Final = 256
"""Tokens of a word between two calls: what the results say, and what comes next."""

BUDGETS: Final[Mapping[Thinker, Mapping[Effort, int]]] = MappingProxyType(
    {
        # Trained to think, a model stops by itself: the budget is there for one that runs on. The figures are the
        # lengths that makers of open reasoning models give for plain questions (2 k), for everyday work (8 k and
        # 32 k) and for contests (64 k and more).
        "native": MappingProxyType(
            {"low": 2_048, "medium": 8_192, "high": 32_768, "xhigh": 65_536, "max": 131_072},
        ),
        # Told to think, a model soon repeats itself, and is a small one as a rule, which writes tens of tokens a
        # second: half a minute at most, a few seconds by default, and at low effort nothing.
        "universal": MappingProxyType({"low": 0, "medium": 256, "high": 512, "xhigh": 1_024, "max": 2_048}),
    }
)
"""The most tokens that adaptive thinking takes in one reply, by effort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a reply is made under. `max_tokens`: its length, None where a prompt is only counted.

    `tools`: it may call some; `forced`: it must. `continues`: it goes on with the assistant's turn behind results of
    tools; `spent`: the tokens that this turn has thought so far. `header`: the beta header that interleaves manual
    thinking was sent.
    """

    max_tokens: int | None
    tools: bool = False
    forced: bool = False
    continues: bool = False
    spent: int = 0
    header: bool = False


def plan(
    asked: Asked | None,
    profile: Profile,
    occasion: Occasion,
    *,
    effort: Effort | None = None,
    thinker: Thinker = "universal",
) -> Thinking:
    """The thinking of one reply. `asked`: the request's setting; `effort`: the one in effect, None: not named.

    `required` is set where the client must find a thinking block, since it has to send one back: at the beginning of
    a turn with a budget. Expects a request that the ladder found nothing wrong with.
    """
    silent = asked is None and profile.thinking_default == "off"
    # A forced call is the first thing that the reply says, and no output is no thought.
    if silent or isinstance(asked, ThinkingDisabled) or occasion.forced or occasion.max_tokens == 0:
        return OFF
    level = effort or profile.effort_default
    match asked:
        case ThinkingEnabled():
            budget = _manual(asked.budget_tokens, profile, occasion)
        case ThinkingBetweenTools():
            budget = _worthwhile(BETWEEN_TOOLS, occasion) if occasion.continues else 0
        case _:
            budget = _adaptive(BUDGETS[thinker][level or "high"], profile, occasion)
    if budget == 0:
        return OFF
    required = isinstance(asked, ThinkingEnabled) and not occasion.continues
    return Thinking(budget, required=required, effort=level)


def _manual(asked: int, profile: Profile, occasion: Occasion) -> int:
    if not _interleaved_by_header(profile, occasion):
        # The turn's thinking came before its first call.
        return 0 if occasion.continues else asked
    if occasion.continues:
        return _worthwhile(max(0, asked - occasion.spent), occasion)
    fits = occasion.max_tokens is None or asked < occasion.max_tokens
    # A budget that leaves the answer little is still what the client asked for; one beyond the reply cannot be kept.
    return asked if fits else max(1, _fitting(asked, occasion))


def _adaptive(most: int, profile: Profile, occasion: Occasion) -> int:
    interleaved = profile.interleaving in ("auto", "both") or _interleaved_by_header(profile, occasion)
    if occasion.continues and not interleaved:
        return 0
    return _worthwhile(most, occasion)


def _interleaved_by_header(profile: Profile, occasion: Occasion) -> bool:
    return profile.interleaving in ("header", "both") and occasion.header and occasion.tools


def _worthwhile(most: int, occasion: Occasion) -> int:
    budget = _fitting(most, occasion)
    return budget if budget >= LEAST else 0


def _fitting(most: int, occasion: Occasion) -> int:
    if occasion.max_tokens is None:
        return most
    return min(most, occasion.max_tokens - min(occasion.max_tokens // 2, ANSWER))


def form_of(request: CreateMessage, profile: Profile) -> Form:
    """In what form the thoughts of the reply are told."""
    last = next((message for message in reversed(request.messages) if message.role == "user"), None)
    if last is not None and any(REDACTED_TEST_TEXT in text for text in _texts(last.content)):
        return "redacted"
    thinking = request.thinking
    if isinstance(thinking, ThinkingBetweenTools):
        return "shown"
    asked = thinking.display if isinstance(thinking, ThinkingEnabled | ThinkingAdaptive) else None
    return "omitted" if (asked or profile.thinking_display) == "omitted" else "shown"


def _texts(content: str | list[Block]) -> list[str]:
    return (
        [content] if isinstance(content, str) else [block.text for block in content if isinstance(block, TextBlock)]
    )
