"""Thoughts that come back: opened, verified, and judged by what they are bound to.

A block verifies when its seal opens and the client shows what it was shown; a block that was sent with nothing to
show may show anything. Another model's thoughts are dropped without a word. On models that bind a thought to its
conversation (`Profile.prefix_bound`) a request decides with `block_binding` what becomes of one that comes back in
another: it is refused, or dropped. Where the request does not decide, the model is shown the thought all the same,
and the reply says so under the beta header. With thinking off nothing is read, since nothing is shown.

Source: API reference, Extended thinking; Preserved thinking; texts as recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, Literal

from msgspec import UNSET, UnsetType

from antiphon.config import Foreign
from antiphon.request.case import Case, Issue, Placed
from antiphon.request.sealed.bindings import Binding, conversations, digest_of_seal, read_prefix
from antiphon.seals import Sealed, Seals
from antiphon.wire.base import WireContext
from antiphon.wire.content.blocks import RedactedThinkingBlock, ThinkingBlock
from antiphon.wire.gates import BLOCK_BINDING
from antiphon.wire.settings import ThinkingAdaptive, ThinkingEnabled

Reason = Literal["model_binding_mismatch", "prefix_binding_mismatch", "organization_binding_mismatch"]

_MODIFIED = (
    "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must "
    "remain as they were in the original response."
)

_ELSEWHERE = (
    "The block is bound to a different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)

_CHANGED: Final = (
    "The `system` prompt differs from the one this block was created with.",
    "The `tools` list differs from the one this block was created with.",
    "Content before this block differs from when it was created.",
)

_GAP = "The `thinking` block that preceded this one when it was created is missing from this request."


@dataclass(frozen=True, slots=True)
class Transformation:
    """What the model was not shown of the request, or was shown although it is bound elsewhere."""

    path: str
    reason: Reason
    type: Literal["thinking_dropped", "thinking_mismatch_allowed"] = "thinking_dropped"


@dataclass(frozen=True, slots=True)
class Thoughts:
    """The thoughts of a request, by message and block. `spent`: tokens thought in the turn that goes on.

    `binding`: what the reply's first thought is bound to. Its `prefix` is sealed into that thought, and that of
    `binding.after(seal)` into the next one.
    """

    opened: Mapping[tuple[int, int], Sealed] = field(default_factory=lambda: MappingProxyType({}))
    transformations: tuple[Transformation, ...] = ()
    spent: int = 0
    binding: Binding = field(default_factory=Binding)

    def at(self, message: int, block: int) -> Sealed | None:
        """The thought at this place of `messages`; None where there is none, or it was dropped."""
        return self.opened.get((message, block))

    @property
    def dropped(self) -> tuple[Transformation, ...]:
        """The thoughts that the model is not shown."""
        return tuple(each for each in self.transformations if each.type == "thinking_dropped")

    def reported(self, context: WireContext) -> list[dict[str, Any]] | UnsetType:
        """The reply's `input_transformations`, which only a request with the beta header gets."""
        if not context.unlocks(BLOCK_BINDING):
            return UNSET
        return [{"type": each.type, "path": each.path, "reason": each.reason} for each in self.transformations]


NO_THOUGHTS: Final = Thoughts()
"""Those of a request that does not think, or brings none back."""


def read(
    case: Case, seals: Seals, model: str, *, foreign: Foreign = "refuse", before: bytes = b""
) -> Issue | Thoughts:
    """The thoughts of a request that the ladder found nothing wrong with, or what is wrong with them.

    `model`: the binding name of the model that is to read them. With `foreign="drop"` a block that does not verify is
    dropped instead of refused. `before`: what the messages are that a sealed summary stands for, as a digest.
    """
    if not case.thinks:
        return NO_THOUGHTS
    brought = _opened(case, seals, drop=foreign == "drop")
    return brought if isinstance(brought, Issue) else _Judge(case, model, before).judge(brought)


@dataclass(frozen=True, slots=True)
class _Brought:
    """A block that came back; `sealed` is None for one that is dropped because it does not verify."""

    item: Placed
    turn: int
    seal: str
    sealed: Sealed | None


def _opened(case: Case, seals: Seals, *, drop: bool) -> Issue | list[_Brought]:
    latest = max((n for n, turn in enumerate(case.turns) if turn.role == "assistant"), default=-1)
    brought: list[_Brought] = []
    for number, turn in enumerate(case.turns):
        for item in turn.items:
            seal, sealed = _open(item, seals)
            if seal is None:
                continue
            shows = sealed is not None and _shows(item, sealed)
            if not shows and not drop:
                return Issue(_unverified(item, edited=sealed is not None and number == latest))
            brought.append(_Brought(item, number, seal, sealed if shows else None))
    rearranged = None if drop else _rearranged([each for each in brought if each.turn == latest])
    return rearranged or brought


def _open(item: Placed, seals: Seals) -> tuple[str | None, Sealed | None]:
    match item.block:
        case ThinkingBlock(signature=signature):
            return signature, seals.open(signature)
        case RedactedThinkingBlock(data=data):
            return data, seals.open_redacted(data)
        case _:
            return None, None


def _shows(item: Placed, sealed: Sealed) -> bool:
    # A text put into a block that was sent without one is ignored.
    return not isinstance(item.block, ThinkingBlock) or sealed.shows(item.block.thinking) or sealed.shows("")


def _unverified(item: Placed, *, edited: bool) -> str:
    return f"{item.path}: {_MODIFIED}" if edited else _invalid(item)


def _invalid(item: Placed) -> str:
    key = "signature" if isinstance(item.block, ThinkingBlock) else "data"
    return f"{item.path}: Invalid `{key}` in `{item.block.type}` block"


def _rearranged(latest: list[_Brought]) -> Issue | None:
    """In the latest message, thoughts in a row are those that were thought in a row."""
    seen: set[str] = set()
    for one, two in pairwise([None, *latest]):
        assert two is not None
        if two.seal in seen:
            return Issue(f"{two.item.path}: {_MODIFIED}")
        seen.add(two.seal)
        bound = read_prefix(two.sealed.prefix) if two.sealed is not None else None
        if one is None or bound is None or not _in_a_row(one.item, two.item):
            continue
        if bound.thought != digest_of_seal(one.seal):
            return Issue(f"{two.item.path}: {_MODIFIED}")
    return None


def _in_a_row(one: Placed, two: Placed) -> bool:
    return one.message == two.message and one.position + 1 == two.position


class _Judge:
    """Decides which thoughts the model is shown."""

    def __init__(self, case: Case, model: str, before: bytes) -> None:
        self._case = case
        self._model = model
        self._conversations = list(conversations(case, before)) if case.profile.prefix_bound else None
        thinking = case.request.thinking
        settable = isinstance(thinking, ThinkingEnabled | ThinkingAdaptive)
        binding = thinking.block_binding if settable else None
        self._behavior = binding.prefix_mismatch_behavior if binding is not None else None
        if self._behavior is None and case.context.batch:
            self._behavior = "drop_block"

    def judge(self, brought: list[_Brought]) -> Issue | Thoughts:
        opened: dict[tuple[int, int], Sealed] = {}
        transformations: list[Transformation] = []
        # What a thought follows is the last one that was not dropped for its conversation: a model that may not read
        # a thought does not take it out of the history.
        before: str | None = None
        for each in brought:
            reason, change = self._reason(each, before)
            if reason == "prefix_binding_mismatch" and self._behavior == "error":
                tail = f" {change}" if change else ""
                return Issue(f"{_invalid(each.item)}. {_ELSEWHERE}{tail}")
            allowed = reason == "prefix_binding_mismatch" and self._behavior is None
            if reason is not None:
                kind = "thinking_mismatch_allowed" if allowed else "thinking_dropped"
                transformations.append(Transformation(each.item.path, reason, kind))
            if each.sealed is not None and (reason is None or allowed):
                opened[each.item.message, each.item.position] = each.sealed
            if reason != "prefix_binding_mismatch" or allowed:
                before = each.seal
        return Thoughts(MappingProxyType(opened), tuple(transformations), self._spent(brought), self._binding(before))

    def _reason(self, each: _Brought, before: str | None) -> tuple[Reason | None, str]:
        """Why the thought is not one to be shown here, and for its conversation what has changed in it."""
        if each.sealed is None:
            return "organization_binding_mismatch", ""
        if each.sealed.model != self._model:
            return "model_binding_mismatch", ""
        if self._conversations is None:
            return None, ""
        bound = read_prefix(each.sealed.prefix)
        if bound is None or bound.conversation is None:
            return "prefix_binding_mismatch", ""
        now = self._conversations[each.turn]
        for change, then, here in zip(_CHANGED, bound.conversation, now, strict=True):
            if then != here:
                return "prefix_binding_mismatch", change
        if before is not None and bound.thought != digest_of_seal(before):
            return "prefix_binding_mismatch", _GAP
        return None, ""

    def _spent(self, brought: list[_Brought]) -> int:
        going_on = {item.path for turn in self._case.open_reply for item in turn.items}
        return sum(each.sealed.tokens for each in brought if each.sealed is not None and each.item.path in going_on)

    def _binding(self, before: str | None) -> Binding:
        binding = Binding() if before is None else Binding().after(before)
        if self._conversations is None:
            return binding
        turns = self._case.turns
        last = len(turns) - 1 if turns and turns[-1].role == "assistant" else len(turns)
        return Binding(binding.thought, self._conversations[last])
