"""What a reply may be: its length, its beginning, its speed and place.

Source: API reference, Messages; model pages.
"""

from antiphon.request.case import Case, Issue
from antiphon.request.tools.server_kinds import SERVER_RESULTS, is_server_result
from antiphon.wire.gates import LONG_OUTPUT
from antiphon.wire.settings import ThinkingEnabled

# The last block of an assistant message that the server goes on with, instead of the model in mid-sentence.
_RESUMABLE = SERVER_RESULTS | {"server_tool_use", "mcp_tool_use", "mcp_tool_listing", "compaction", "fallback"}


def most_tokens(case: Case) -> Issue | None:
    """The reply may be as long as the model's replies can be."""
    request, most = case.creation, case.profile.max_output
    if case.context.batch and case.context.unlocks(LONG_OUTPUT):
        most = case.profile.batch_output or most
    if request is None or request.max_tokens <= most:
        return None
    return Issue(
        f"max_tokens: {request.max_tokens} > {most}, which is the maximum allowed number of "
        f"output tokens for {case.profile.id}"
    )


def nothing_but_the_prompt(case: Case) -> Issue | None:
    """A request for no output at all, which warms the cache, asks for nothing that only output can have."""
    request = case.creation
    if request is None or request.max_tokens > 0:
        return None
    asked = [
        (request.stream is True, "stream: true"),
        (isinstance(request.thinking, ThinkingEnabled), "thinking.type: enabled"),
        (case.output_format is not None, case.output_format),
        (case.forces_a_tool, 'tool_choice type "tool" or "any"'),
    ]
    refused = next((what for holds, what in asked if holds), None)
    return None if refused is None else Issue(f"max_tokens: 0 is not allowed with {refused}")


def prefill(case: Case) -> Issue | None:
    """The model goes on from an assistant message if it can."""
    if case.profile.prefill or not _is_prefilled(case):
        return None
    return Issue(
        "This model does not support assistant message prefill. The conversation must end with a user message."
    )


def prefill_alone(case: Case) -> Issue | None:
    """A reply that goes on from an assistant message has neither thinking nor a format to keep."""
    if not _is_prefilled(case):
        return None
    end = "The conversation must end with a user message."
    if case.asks_for_thinking:
        return Issue(f"Assistant message prefill is not supported when thinking is enabled. {end}")
    if case.output_format is not None:
        return Issue(f"{case.output_format}: structured outputs do not support assistant message prefill. {end}")
    return None


def _is_prefilled(case: Case) -> bool:
    final = case.turns[-1] if case.turns and not case.summarizes else None
    if final is None or final.role != "assistant" or not final.items or case.continues:
        return False
    last = final.items[-1].block
    return last.type not in _RESUMABLE and not is_server_result(last)


def place_and_speed(case: Case) -> Issue | None:
    """The model can be asked to run in a region, faster, or to a task budget."""
    request, profile, config = case.creation, case.profile, case.request.output_config
    if request is not None and request.inference_geo is not None and not profile.inference_geo:
        return Issue("inference_geo: this model does not support the inference_geo parameter.")
    if case.request.speed == "fast" and not profile.fast_mode:
        return Issue("speed: this model does not support speed 'fast'.")
    if config is not None and config.task_budget is not None and not profile.task_budget:
        return Issue("output_config.task_budget: this model does not support task budgets.")
    return None
