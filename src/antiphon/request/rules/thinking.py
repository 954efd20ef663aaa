"""Thinking and effort: what the model accepts, and what goes together.

Source: API reference, Extended thinking; Effort; texts as documented.
"""

from antiphon.profiles import EFFORTS
from antiphon.request.accommodations import DROPPED_THOUGHT, is_due
from antiphon.request.case import Case, Issue, Placed, Turn
from antiphon.wire.gates import INTERLEAVED
from antiphon.wire.settings import ClearThinking, ThinkingEnabled

_THINKING = ("thinking", "redacted_thinking")

_EXPECTED = (
    "When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the "
    "lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous "
    "turns. To avoid this requirement, disable `thinking`. Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)

_USE_EFFORT = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'

_NO_DISABLED_EFFORT = f'"thinking.type.disabled" is not supported for this model. {_USE_EFFORT}'

_NO_DISABLED_DEFAULT = (
    '"thinking.type.disabled" is not supported for this model. Thinking defaults to adaptive mode when not '
    'specified; use "thinking.type.enabled" with "budget_tokens" for extended thinking.'
)

_NO_DISABLED_BETWEEN_TOOLS = (
    'To turn thinking off on this model, send "thinking": {"type": "between_tools"} instead of {"type": "disabled"}. '
    "The model does not think before responding. The short updates it writes between tool calls come back as "
    "thinking blocks."
)


def thinking_type(case: Case) -> Issue | None:
    """The model has the requested way of thinking."""
    thinking = case.request.thinking
    if thinking is None or thinking.type in case.profile.thinking:
        return None
    match thinking.type:
        case "enabled":
            return Issue(f'"thinking.type.enabled" is not supported for this model. {_USE_EFFORT}')
        case "adaptive":
            return Issue("adaptive thinking is not supported on this model")
        case "between_tools":
            return Issue('"thinking.type.between_tools" is not supported for this model.')
        case "disabled":
            return Issue(_no_disabled(case))


def _no_disabled(case: Case) -> str:
    if "between_tools" in case.profile.thinking:
        return _NO_DISABLED_BETWEEN_TOOLS
    return _NO_DISABLED_DEFAULT if case.profile.line in ("fable", "mythos") else _NO_DISABLED_EFFORT


def budget(case: Case) -> Issue | None:
    """A thinking budget leaves room for the answer, unless it spans a turn with thinking between tool calls."""
    request, thinking = case.creation, case.request.thinking
    if request is None or not isinstance(thinking, ThinkingEnabled) or thinking.budget_tokens < request.max_tokens:
        return None
    by_header = case.profile.interleaving in ("header", "both") and INTERLEAVED in case.context.betas
    if by_header and case.tools:
        return None
    return Issue("`max_tokens` must be greater than `thinking.budget_tokens`.")


def clearing(case: Case) -> Issue | None:
    """Thoughts are cleared where there is thinking. A mode that only thinks between tools has thoughts too."""
    if case.thinks or not any(isinstance(edit, ClearThinking) for edit in case.edits):
        return None
    return Issue("`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive")


def forced_call(case: Case) -> Issue | None:
    """A forced call is something that the model can be forced to, and leaves no room for thinking by budget."""
    if not case.forces_a_tool:
        return None
    if not case.profile.forced_tool_choice:
        return Issue('tool_choice: type "tool" and "any" are not supported for this model.')
    if isinstance(case.request.thinking, ThinkingEnabled):
        return Issue("Thinking may not be enabled when tool_choice forces tool use.")
    return None


def effort(case: Case) -> Issue | None:
    """The model has the requested effort levels, in the request and in its system messages."""
    config = case.request.output_config
    levels = [config.effort if config is not None else None]
    levels += [message.output_config.effort for message in case.request.messages if message.output_config is not None]
    for level in levels:
        if level is None:
            continue
        if not case.profile.efforts:
            return Issue("This model does not support the effort parameter.")
        if level not in case.profile.efforts:
            listed = ", ".join(sorted(case.profile.efforts))
            return Issue(f"This model does not support effort level '{level}'. Supported levels: {listed}.")
    return None


def effort_without_thinking(case: Case) -> Issue | None:
    """Where thinking is off, some models take no high effort, and no change of it on the way."""
    highest, thinking = case.profile.disabled_max_effort, case.request.thinking
    if highest is None or thinking is None or thinking.type not in ("disabled", "between_tools"):
        return None
    config = case.request.output_config
    asked = config.effort if config is not None else None
    if asked is not None and EFFORTS.index(asked) > EFFORTS.index(highest):
        return Issue(
            f"output_config.effort '{asked}' is not supported when thinking is disabled on this model. "
            f"Use effort '{highest}' or below, or enable thinking."
        )
    current = asked or case.profile.effort_default
    for n, message in enumerate(case.request.messages):
        change = message.output_config.effort if message.output_config is not None else None
        if change is not None and change != current:
            return Issue(
                f"messages.{n}: output_config.effort '{change}' differs from the '{current}' in effect before it; "
                f"effort cannot change when thinking is disabled on this model. Use effort '{current}', or enable "
                "thinking."
            )
    return None


def system_role(case: Case) -> Issue | None:
    """The model reads system messages in the middle of a conversation."""
    if case.profile.system_role or all(message.role != "system" for message in case.request.messages):
        return None
    return Issue("role 'system' is not supported on this model")


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
        said = _last_models(turn)
        first = said[0] if said else None
        thinks = any(item.block.type in _THINKING for item in said)
        if first is not None and first.block.type not in _THINKING and thinks:
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
    said = () if start is None else _last_models(start)
    if not said or said[0].block.type in _THINKING:
        return None
    first = said[0]
    if case.continues or (case.turns[-1].role == "user" and is_due(case, DROPPED_THOUGHT)):
        return None
    return Issue(
        f"{first.path}.type: Expected `thinking` or `redacted_thinking`, but found `{first.block.type}`. {_EXPECTED}"
    )


def _last_models(turn: Turn) -> tuple[Placed, ...]:
    """What the model has said that spoke last in the turn: behind the last change of models."""
    behind = (at + 1 for at, item in reversed(tuple(enumerate(turn.items))) if item.block.type == "fallback")
    return turn.items[next(behind, 0) :]


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
