"""Which block may stand in whose message. Source: API reference, Messages, the table of content blocks."""

from types import MappingProxyType

from antiphon.request.case import Case, Issue, Placed, texts_of
from antiphon.request.tools.server_kinds import SERVER_RESULTS, is_server_result
from antiphon.wire.content.blocks import CompactionBlock

_USER = frozenset({"user"})

_ASSISTANT = frozenset({"assistant"})

ROLES = MappingProxyType(
    {
        "text": frozenset({"user", "assistant", "system"}),
        "image": _USER,
        "document": frozenset({"user", "assistant"}),
        "search_result": _USER,
        "tool_result": _USER,
        "container_upload": _USER,
        "tool_use": _ASSISTANT,
        "thinking": _ASSISTANT,
        "redacted_thinking": _ASSISTANT,
        "server_tool_use": _ASSISTANT,
        **dict.fromkeys(SERVER_RESULTS, _ASSISTANT),
        "mcp_tool_use": _ASSISTANT,
        "mcp_tool_listing": _ASSISTANT,
        "fallback": _ASSISTANT,
        "compaction": frozenset({"user", "assistant"}),
        "tool_addition": frozenset({"system"}),
        "tool_removal": frozenset({"system"}),
    }
)
"""Block type → the roles whose messages may hold it."""


def blocks_in_their_messages(case: Case) -> Issue | None:
    """Every block stands in a message of a role that may say it."""
    for item in case.items:
        role = case.request.messages[item.message].role
        allowed = _ASSISTANT if is_server_result(item.block) else ROLES[item.block.type]
        if item.block.type == "document" and case.context.version != "2023-06-01":
            allowed = _USER
        if role not in allowed:
            names = " or ".join(f"`{name}`" for name in sorted(allowed, reverse=True))
            return Issue(f"messages.{item.message}: `{item.block.type}` blocks can only be in {names} messages")
        issue = _compaction(item, role) or _citations(case, item, role)
        if issue is not None:
            return issue
    return None


def _compaction(item: Placed, role: str) -> Issue | None:
    # A summary that came by itself is the assistant's own; one that was asked for may begin the user's message, too.
    if isinstance(item.block, CompactionBlock) and item.block.signature is None and role == "user":
        if (item.message, item.position) == (0, 0):
            return None
        return Issue(
            f"{item.path}: a `compaction` block in a `user` message must be the first block of the first message",
            {"error_code": "compaction_block_misplaced"},
        )
    return None


def _citations(case: Case, item: Placed, role: str) -> Issue | None:
    if role != "user" or case.context.version == "2023-06-01" or item.block.type not in ("text", "search_result"):
        return None
    for path, text in texts_of(item):
        if text.citations:
            return Issue(f"{path}.citations: citations are not permitted on text blocks in `user` messages")
    return None
