"""Context management, summaries on demand, and the blocks that they leave. Source: API reference, Context editing;
Compaction on demand; Compaction at a token threshold; texts as recorded.

Whether a sealed summary is the one that was sent is not judged here but in `summaries`: that takes the key.
"""

from collections.abc import Iterator

from antiphon.request.case import Case, Issue, Placed
from antiphon.wire.content.blocks import CompactionBlock
from antiphon.wire.gates import COMPACT_AT_THRESHOLD
from antiphon.wire.settings import Compact


def something_to_summarize(case: Case) -> Issue | None:
    """A conversation that is to be summarized says something."""
    if not case.summarizes or any(message.content for message in case.request.messages if message.role != "system"):
        return None
    return Issue(
        "compaction: messages hold no `user` or `assistant` content to summarize.",
        {"error_code": "compaction_nothing_to_summarize"},
    )


def finished_turn(case: Case) -> Issue | None:
    """A conversation that is to be summarized does not end in a call that waits for its result."""
    final = case.turns[-1] if case.turns else None
    if not case.summarizes or final is None or final.role != "assistant":
        return None
    waiting = next(final.of("tool_use"), None) or (final.items[-1] if final.items else None)
    if waiting is None or waiting.block.type not in ("tool_use", "server_tool_use", "mcp_tool_use"):
        return None
    return Issue(
        f"{waiting.path}: the last `assistant` turn ends in a `{waiting.block.type}` without a result. Send the "
        "turn's results first, then compact.",
        {"error_code": "compaction_incomplete_turn"},
    )


def compaction_alone(case: Case) -> Issue | None:
    """A summary on demand takes no setting that only an answer could follow."""
    request = case.creation
    if request is None or request.compaction is None:
        return None
    asked = [
        (request.context_management is not None, "context_management"),
        (bool(request.stop_sequences), "stop_sequences"),
        (case.output_format is not None, case.output_format),
        (case.forces_a_tool, "tool_choice of type `any` or `tool`"),
        (_has_remaining(case), "output_config.task_budget.remaining"),
    ]
    refused = next((what for holds, what in asked if holds), None)
    return None if refused is None else Issue(f"compaction: `compaction` cannot be combined with {refused}.")


def edits(case: Case) -> Issue | None:
    """Thinking is cleared before anything else is."""
    found = case.edits
    if any(edit.type == "clear_thinking_20251015" for edit in found[1:]):
        return Issue(
            "context_management: `clear_thinking_20251015` must be the first strategy in `context_management.edits` "
            "when provided"
        )
    return None


def compaction_blocks(case: Case) -> Issue | None:
    """A summary comes back the way it was made: with its edit, or with its signature."""
    if "compaction" not in case.kinds:
        return None
    by_edit = any(isinstance(edit, Compact) for edit in case.edits)
    for _, block in _summaries(case):
        if block.signature is not None or by_edit:
            continue
        if case.context.unlocks(COMPACT_AT_THRESHOLD):
            return Issue("`compaction` blocks require a `compact_20260112` strategy in `context_management.edits`.")
        if block.content is not None:
            return Issue("a `compaction` block with `content` requires its `signature`")
    return None


def sealed_block(case: Case) -> Issue | None:
    """A summary that was asked for stands alone, before everything else, and with no other way of summarizing."""
    if "compaction" not in case.kinds:
        return None
    held = [(item, block) for item, block in _summaries(case) if block.content is not None]
    sealed = [item for item, block in held if block.signature is not None]
    if not sealed:
        return None
    if len(held) > 1:
        return Issue(
            f"{held[1][0].path}: a request can carry only one `compaction` block; send only the newest",
            {"error_code": "compaction_block_ambiguous"},
        )
    if (sealed[0].message, sealed[0].position) != (0, 0):
        return Issue(
            f"{sealed[0].path}: `compaction` block must be sent first, in place of the messages it summarizes; "
            "remove those messages",
            {"error_code": "compaction_block_misplaced"},
        )
    if any(isinstance(edit, Compact) for edit in case.edits):
        return Issue(
            "context_management: `compact_20260112` cannot be used on a request that carries a signed `compaction` "
            "block."
        )
    if _has_remaining(case):
        return Issue(
            "output_config.task_budget.remaining: not permitted on a request that carries a signed `compaction` "
            "block."
        )
    return None


def compaction_on_the_model(case: Case) -> Issue | None:
    """The model can summarize a conversation."""
    if case.profile.compaction:
        return None
    if case.request.compaction is not None:
        return Issue("compaction: this model does not support compaction.")
    if any(isinstance(edit, Compact) for edit in case.edits):
        return Issue("context_management: this model does not support `compact_20260112`.")
    return None


def compact_edit(case: Case) -> Compact | None:
    """The edit that has long conversations summarized, if the request has one."""
    return next((edit for edit in case.edits if isinstance(edit, Compact)), None)


def _summaries(case: Case) -> Iterator[tuple[Placed, CompactionBlock]]:
    return ((item, item.block) for item in case.items if isinstance(item.block, CompactionBlock))


def _has_remaining(case: Case) -> bool:
    config = case.request.output_config
    return config is not None and config.task_budget is not None and config.task_budget.remaining is not None
