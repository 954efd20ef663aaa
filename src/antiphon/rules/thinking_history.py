"""Thinking blocks that come back. Source: API reference, Extended thinking; texts as recorded.

Whether a block is the one that was sent is not judged here but in `thoughts`: that takes the key that sealed it.
"""

from antiphon.rules.case import Case, Issue
from antiphon.wire.settings import ThinkingEnabled

_THINKING = ("thinking", "redacted_thinking")

_EXPECTED = (
    "When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the "
    "lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous "
    "turns. To avoid this requirement, disable `thinking`. Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)


def not_last(case: Case) -> Issue | None:
    """No assistant turn ends in thought."""
    if case.kinds.isdisjoint(_THINKING):
        return None
    for turn in case.turns:
        if turn.role == "assistant" and turn.items and turn.items[-1].block.type in _THINKING:
            last = turn.items[-1]
            return Issue(
                f"messages.{last.message}: The final block in an assistant message cannot be `{last.block.type}`."
            )
    return None


def first_if_at_all(case: Case) -> Issue | None:
    """With a thinking budget, an assistant message that holds thinking begins with it.

    In the other modes a reply may begin with text and think between its server tools.
    """
    if not isinstance(case.request.thinking, ThinkingEnabled):
        return None
    for turn in case.turns:
        first = turn.items[0] if turn.items else None
        if first is not None and first.block.type not in _THINKING and any(turn.of(*_THINKING)):
            return Issue(
                f"{first.path}: If an assistant message contains any thinking blocks, the first block must be "
                f"`thinking` or `redacted_thinking`. Found `{first.block.type}`."
            )
    return None


def open_turn_begins_with_thinking(case: Case) -> Issue | None:
    """With a thinking budget, the assistant's turn that goes on began with thinking."""
    if not isinstance(case.request.thinking, ThinkingEnabled):
        return None
    start = case.open_reply[0] if case.open_reply and not case.summarizes else None
    if start is None or not start.items or start.items[0].block.type in _THINKING:
        return None
    first = start.items[0]
    return Issue(
        f"{first.path}.type: Expected `thinking` or `redacted_thinking`, but found `{first.block.type}`. {_EXPECTED}"
    )


def none_in_final_place_without_thinking(case: Case) -> Issue | None:
    """With thinking off, the message that the model goes on from holds none."""
    if case.thinks or case.summarizes or not case.turns or case.turns[-1].role != "assistant":
        return None
    for item in case.turns[-1].of(*_THINKING):
        return Issue(
            f"{item.path}: When thinking is disabled, an `assistant` message in the final position cannot contain "
            f"`{item.block.type}`. To use thinking blocks, enable `thinking` in your request."
        )
    return None
