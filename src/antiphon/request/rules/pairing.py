"""Calls of client tools and their results. Source: API reference, Handle tool calls; texts as recorded.

Every `tool_use` of an assistant turn is answered by exactly one `tool_result` in the user turn right behind it, and
the results come first there. Behind a call nothing but calls may follow in its turn. Errors count turns: messages of
one role in a row are one.
"""

from antiphon.request.case import Case, Issue, Placed, Turn
from antiphon.wire.content.blocks import BrowserStateBlock, ImageBlock, TextBlock, ToolResultBlock, ToolUseBlock
from antiphon.words import shown

_NO_TURN = Turn("", ())

_TYPES = frozenset({"tool_use", "tool_result"})

_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})

_MOST_IDS = 100  # named in one message


def calls_and_results(case: Case) -> Issue | None:
    """The calls and results of the conversation match, turn by turn; the first turn with a mistake is named."""
    if case.kinds.isdisjoint(_TYPES):
        return None
    previous = _NO_TURN
    for turn, following in zip(case.turns, (*case.turns[1:], _NO_TURN), strict=True):
        issue = _known_and_single(case, turn, previous) or _unique(case, turn) or _answered(case, turn, following)
        if issue is not None:
            return issue
        previous = turn
    return None


def _unique(case: Case, turn: Turn) -> Issue | None:
    made: set[str] = set()
    for item in turn.of("tool_use"):
        assert isinstance(item.block, ToolUseBlock)
        if item.block.id in made:
            return Issue(f"{case.turn_block_path(item)}: `tool_use` ids must be unique")
        made.add(item.block.id)
    return None


def _calls(turn: Turn) -> dict[str, Placed]:
    return {item.block.id: item for item in turn.items if isinstance(item.block, ToolUseBlock)}


def _answered(case: Case, turn: Turn, following: Turn) -> Issue | None:
    calls = _calls(turn)
    if not calls:
        return None
    last_words = max((item for item in turn.items if item.block.type not in _CALLS), key=_at, default=None)
    answered: set[str] = set()
    for item in following.items:
        # A result behind another block comes too late: it answers nothing.
        if not isinstance(item.block, ToolResultBlock):
            break
        answered.add(item.block.tool_use_id)
    missing = [
        call
        for call, item in calls.items()
        if call not in answered or (last_words is not None and _at(item) < _at(last_words))
    ]
    if not missing:
        return None
    ids = ", ".join(shown(call) for call in missing[:_MOST_IDS])
    return Issue(
        f"{case.turn_path(calls[missing[0]])}: `tool_use` ids were found without `tool_result` blocks immediately "
        f"after: {ids}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def _at(item: Placed) -> tuple[int, int]:
    return item.message, item.position


def _known_and_single(case: Case, turn: Turn, previous: Turn) -> Issue | None:
    calls = _calls(previous)
    seen: set[str] = set()
    for item in turn.of("tool_result"):
        assert isinstance(item.block, ToolResultBlock)
        call = item.block.tool_use_id
        if call not in calls:
            return Issue(
                f"{case.turn_block_path(item)}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{shown(call)}. Each `tool_result` block must have a corresponding `tool_use` block in the previous "
                "message."
            )
        if call in seen:
            return Issue(
                f"{case.turn_block_path(item)}: each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {shown(call)}"
            )
        seen.add(call)
    return None


def toolset_results(case: Case) -> Issue | None:
    """The result of a toolset's member names the toolset, and holds only what a screen or a browser shows."""
    if case.kinds.isdisjoint(_TYPES):
        return None
    previous = _NO_TURN
    for turn in case.turns:
        calls = _calls(previous)
        for item in turn.of("tool_result"):
            assert isinstance(item.block, ToolResultBlock)
            call = calls[item.block.tool_use_id].block
            assert isinstance(call, ToolUseBlock)
            issue = _toolset_result(item, item.block, call.toolset_name)
            if issue is not None:
                return issue
        previous = turn
    return None


def _toolset_result(item: Placed, result: ToolResultBlock, toolset: str | None) -> Issue | None:
    if result.toolset_name != toolset:
        wanted = "be left out" if toolset is None else f"be '{shown(toolset)}'"
        return Issue(
            f"{item.path}.tool_result.toolset_name: must {wanted}, as in the `tool_use` block that it answers"
        )
    content = result.content if isinstance(result.content, list) else []
    states = sum(isinstance(block, BrowserStateBlock) for block in content)
    if states > (toolset == "browser"):
        return Issue(
            f"{item.path}.tool_result.content: one `browser_state` block is permitted, in results of the browser "
            "toolset only"
        )
    plain = all(isinstance(block, TextBlock | ImageBlock | BrowserStateBlock) for block in content)
    if toolset is not None and not plain:
        return Issue(
            f"{item.path}.tool_result.content: results of toolset members support text, image and browser_state "
            "blocks only"
        )
    return None


def container_of_pending_calls(case: Case) -> Issue | None:
    """Results for code that waits in a container come with the container's id."""
    request = case.creation
    if request is None or len(case.turns) < 2 or case.turns[-1].role != "user":
        return None
    waiting = any(
        call.block.caller is not None and call.block.caller.type != "direct"
        for call in case.turns[-2].items
        if isinstance(call.block, ToolUseBlock)
    )
    container = request.container if isinstance(request.container, str | None) else request.container.id
    if waiting and not container:
        return Issue(
            "container_id is required when there are pending tool uses generated by code execution with tools."
        )
    return None
