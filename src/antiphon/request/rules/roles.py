"""Who speaks when. Source: API reference, Messages; Mid-conversation system messages; texts as recorded.

Consecutive messages of one role are one turn and are never refused.
"""

from antiphon.request.case import Case, Issue, is_directive
from antiphon.request.tools.server_kinds import is_server_result
from antiphon.wire.content.blocks import TextBlock
from antiphon.wire.request import InputMessage
from antiphon.words import shown

_DIRECTIVE = "the directive-only form (content: [] with output_config) is accepted at any position"

_TURN_SCOPED = "(clear_at: 'next_user_message')"


def at_least_one_message(case: Case) -> Issue | None:
    """A conversation has a message."""
    return None if case.request.messages else Issue("messages: at least one message is required")


def known_roles(case: Case) -> Issue | None:
    """A role is one of the API's. The text leaves out the role that only some models take, as the API's does."""
    for message in case.request.messages:
        if message.role not in ("user", "assistant", "system"):
            return Issue(
                f'messages: Unexpected role "{shown(message.role)}". Allowed roles are "user" or "assistant"'
            )
    return None


def keys_of_system_messages(case: Case) -> Issue | None:
    """Only system messages change settings and pass away."""
    for n, message in enumerate(case.request.messages):
        if message.role == "system":
            continue
        for key in ("clear_at", "output_config"):
            if getattr(message, key) is not None:
                return Issue(f"messages.{n}.{key}: {key} is only permitted on role 'system' messages")
    return None


def system_messages(case: Case) -> Issue | None:
    """Each system message in turn: content, block types, position, blank text, then what `clear_at` forbids."""
    messages = case.request.messages
    # System messages in a row are one section: what counts is what stands before and behind all of them.
    behind: list[InputMessage | None] = [None] * len(messages)
    for n in range(len(messages) - 2, -1, -1):
        behind[n] = behind[n + 1] if messages[n + 1].role == "system" else messages[n + 1]
    before: InputMessage | None = None
    for n, message in enumerate(messages):
        if message.role != "system":
            before = message
        elif not is_directive(message):
            issue = _system_message(n, message, before, behind[n])
            if issue is not None:
                return issue
    return None


def _system_message(
    n: int, message: InputMessage, before: InputMessage | None, behind: InputMessage | None
) -> Issue | None:
    if not message.content:
        return Issue(f"messages.{n}: system content must contain at least one block")
    blocks = message.content if isinstance(message.content, list) else []
    if any(block.type not in ("text", "tool_addition", "tool_removal") for block in blocks):
        return Issue(f"messages.{n}: role 'system' supports text, tool_addition, and tool_removal blocks only")
    issue = _position(n, before, behind)
    if issue is not None:
        return issue
    texts = [message.content] if isinstance(message.content, str) else _texts(message)
    if any(not text.strip() for text in texts):
        return Issue(f"messages.{n}: system text blocks must contain non-whitespace text")
    if before is not None and before.role == "assistant" and len(texts) < len(blocks):
        return Issue(
            f"messages.{n}: tool_addition and tool_removal blocks are not permitted right after a paused "
            "'assistant' message"
        )
    return _turn_scoped(n, message) if message.clear_at == "next_user_message" else None


def _position(n: int, before: InputMessage | None, behind: InputMessage | None) -> Issue | None:
    if n == 0:
        return Issue("messages.0: use the top-level 'system' parameter for the initial system prompt; " + _DIRECTIVE)
    if before is None or (before.role != "user" and not _ends_with_server_result(before)):
        return Issue(
            f"messages.{n}: role 'system' must follow a 'user' message or an 'assistant' message "
            "ending in a server tool result; " + _DIRECTIVE
        )
    if behind is not None and behind.role != "assistant":
        return Issue(
            f"messages.{n}: role 'system' must precede an 'assistant' message or end the array; " + _DIRECTIVE
        )
    return None


def _texts(message: InputMessage) -> list[str]:
    return [block.text for block in message.content if isinstance(block, TextBlock)]


def _ends_with_server_result(message: InputMessage) -> bool:
    return isinstance(message.content, list) and bool(message.content) and is_server_result(message.content[-1])


def _turn_scoped(n: int, message: InputMessage) -> Issue | None:
    blocks = message.content if isinstance(message.content, list) else []
    if any(not isinstance(block, TextBlock) for block in blocks):
        return Issue(f"messages.{n}: a turn-scoped system message supports text blocks only {_TURN_SCOPED}")
    if message.output_config is not None:
        return Issue(f"messages.{n}: output_config is not permitted on a turn-scoped system message {_TURN_SCOPED}")
    for position, block in enumerate(blocks):
        if isinstance(block, TextBlock) and block.cache_control is not None:
            return Issue(
                f"messages.{n}.content.{position}: cache_control is not permitted on a turn-scoped system message "
                + _TURN_SCOPED
            )
    return None


def somebody_speaks(case: Case) -> Issue | None:
    """A conversation holds more than settings. Recorded ones begin with the assistant, too."""
    if any(turn.role != "system" for turn in case.turns):
        return None
    return Issue('messages: first message must use the "user" role')
