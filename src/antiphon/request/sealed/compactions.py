"""Summaries that stand for a conversation: how one is asked for, how it is told, and how it is known again.

One that was asked for is sealed: the client carries it back unchanged, first of all blocks, in place of what it
summarizes. The seal also holds what the text cannot say: the deferred tools that had been found, and a digest of the
conversation, so that thoughts in turns behind it stay bound to what was said before them.

Source: API reference, Compaction on demand; Compaction at a token threshold; Compaction and preserved thinking.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from antiphon.request.case import Case, Issue
from antiphon.seals import Seals, Thought
from antiphon.wire.content.blocks import CompactionBlock
from antiphon.wire.settings import Compaction

DEFAULT_INSTRUCTION: Final = (
    "Stop here and write a summary of this whole conversation. It will take the conversation's place: whoever goes "
    "on with the work sees your summary and nothing of what was said above. So put in all that is needed to go on:\n"
    "- what the user asked for, with every condition and preference, and the latest open request word for word;\n"
    "- what has been done and found out so far, with exact names, numbers, paths, identifiers and results of tools;\n"
    "- what was decided and why, and what did not work;\n"
    "- what is still to be done, and the next step.\n"
    "Do not call tools and do not go on with the work. Answer with the text of the summary only."
)

_TOLD: Final = (
    "The conversation so far has been replaced by this summary, which was written at its end. Take everything in it "
    "as said and done, and go on from there.\n<summary>\n{content}\n</summary>"
)


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a summarized conversation beside the summary. `found`: deferred tools that had been found.

    `prefix`: the digest of the conversation's messages, empty where thoughts are not bound to them.
    """

    found: tuple[str, ...] = ()
    prefix: bytes = b""


NOTHING: Final = Record()
"""That of a conversation which begins with no sealed summary."""


def instruction(compaction: Compaction) -> str:
    """What the model is asked, in the conversation's last turn; a client's own words take the place of ours."""
    own = compaction.instructions or ""
    return own if own.strip() else DEFAULT_INSTRUCTION


def told(content: str) -> str:
    """A summary as the model is told it."""
    return _TOLD.format(content=content)


def sign(
    content: str, changes: Sequence[Any], record: Record, seals: Seals, nonce: bytes, *, model: str, tokens: int
) -> str:
    """The `signature` of a summary that `model` wrote in so many `tokens`; `changes`: the block's tool changes."""
    kept = _spelled([list(changes), list(record.found)])
    return seals.seal_summary(Thought(kept, model, tokens, content, record.prefix), nonce)


def open_record(case: Case, seals: Seals) -> Issue | Record:
    """What the sealed summary kept that the conversation begins with, or what is wrong with it.

    Expects a conversation that the ladder found nothing wrong with.
    """
    if "compaction" not in case.kinds:
        return NOTHING
    first = case.told[0] if case.told else None
    if first is None or not isinstance(first.block, CompactionBlock) or first.block.signature is None:
        return NOTHING
    block = first.block
    sealed = seals.open_summary(block.signature) if block.signature is not None else None
    if sealed is None:
        return Issue(
            f"{first.path}: Invalid `signature` in `compaction` block", {"error_code": "compaction_signature_invalid"}
        )
    if not sealed.shows(block.content or ""):
        return Issue(
            f"{first.path}: the `content` of the `compaction` block differs from the text that its `signature` "
            "recorded. Send the block exactly as it was returned.",
            {"error_code": "compaction_content_mismatch"},
        )
    changes, found = cast("tuple[list[Any], list[str]]", json.loads(sealed.text))
    came = [change.model_dump(by_alias=True, exclude_unset=True) for change in block.tool_changes or ()]
    if _spelled(came) != _spelled(changes):
        return Issue(
            f"{first.path}: the `tool_changes` of the `compaction` block differ from those that were returned with "
            "it. Send the block exactly as it was returned.",
            {"error_code": "compaction_tool_changes_mismatch"},
        )
    return Record(tuple(found), sealed.prefix)


def _spelled(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
