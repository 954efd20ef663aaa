"""Is this a request that can be answered? Rules in order, the first that fails is the answer.

The rules run on a request whose shape is right. Their order, as far as it is on record, is the API's own: the
conversation, then what hangs together, then what the model can do. What this server has not built comes last, so
that a wrong request is told that it is wrong.

 1. roles and system messages: who speaks when
 2. content: nothing empty, nothing blank, no whitespace where the model goes on
 3. placement: each block in a message that may hold it
 4. pairing: calls and results of client tools, then of server tools
 5. cache markers
 6. tools: names, choice, deferral, references, examples; container and MCP servers; edits and summaries; media
 7. the model: length, thinking, forced calls, effort, sampling, prefill, system role, thinking that comes back
 8. what is not built

Source: API reference, Messages; order as measured on the real service.
"""

from collections.abc import Mapping

from antiphon.request.case import Case, Issue, Rule
from antiphon.request.relevance import MORE_THAN_TEXT, by_role, relevant
from antiphon.request.rules import (
    caching,
    compaction,
    emptiness,
    examples,
    from_code,
    limits,
    media,
    pairing,
    placement,
    roles,
    sampling,
    server_pairing,
    strict,
    thinking,
    tool_changes,
    tools,
    unbuilt,
)

__all__ = ["RUNGS", "check"]

RUNGS: tuple[Rule, ...] = (
    # 1
    compaction.something_to_summarize,
    roles.at_least_one_message,
    roles.known_roles,
    roles.keys_of_system_messages,
    roles.system_messages,
    roles.somebody_speaks,
    # 2
    emptiness.no_empty_messages,
    emptiness.no_empty_texts,
    emptiness.no_blank_messages,
    emptiness.no_blank_system,
    emptiness.no_trailing_whitespace,
    # 3
    placement.blocks_in_their_messages,
    compaction.sealed_block,
    # 4
    compaction.finished_turn,
    pairing.calls_and_results,
    pairing.toolset_results,
    server_pairing.server_calls_and_results,
    pairing.container_of_pending_calls,
    from_code.calls_have_their_code,
    from_code.results_for_code_are_text,
    # 5
    caching.markers_in_a_thread,
    caching.markers,
    # 6
    tools.unique_names,
    tools.tool_choice,
    examples.examples_fit_their_schema,
    from_code.tools_for_code,
    strict.most_strict,
    strict.guaranteed_tools,
    strict.guaranteed_format,
    tools.deferral,
    tools.references,
    tool_changes.changes_are_possible,
    tool_changes.the_chosen_tool_is_there,
    tools.container_has_its_tool,
    tools.mcp_servers_are_used,
    compaction.edits,
    compaction.compaction_blocks,
    compaction.compaction_alone,
    media.most_images,
    media.no_heavy_images,
    media.no_citations_in_a_format,
    media.citations_of_all_or_none,
    # 7. A request for no output is judged before budgets are: every budget is more than none.
    limits.most_tokens,
    limits.nothing_but_the_prompt,
    thinking.thinking_type,
    thinking.budget,
    thinking.clearing,
    thinking.forced_call,
    thinking.effort,
    thinking.effort_without_thinking,
    sampling.sampling,
    limits.prefill,
    thinking.system_role,
    thinking.not_last,
    thinking.first_if_at_all,
    thinking.open_turn_begins_with_thinking,
    thinking.none_in_final_place_without_thinking,
    limits.prefill_alone,
    tools.types_for_the_model,
    media.sight,
    limits.place_and_speed,
    compaction.compaction_on_the_model,
    # 8
    unbuilt.blocks,
    unbuilt.settings,
    unbuilt.tools,
    from_code.unbuilt,
)

_SYSTEM, _ASSISTANT = by_role("system"), by_role("assistant")

_DEFINES = frozenset({"tools", "tool_addition"})

_FORMS = frozenset({"output_config", "output_format"})

ABOUT: Mapping[Rule, frozenset[str]] = {
    caching.markers_in_a_thread: frozenset({"thread"}),
    compaction.something_to_summarize: frozenset({"compaction"}),
    roles.system_messages: frozenset({_SYSTEM}),
    # Where no summary stands for others, every message but those of the system is somebody's.
    roles.somebody_speaks: frozenset({_SYSTEM, "compaction"}),
    emptiness.no_blank_system: frozenset({"system"}),
    emptiness.no_trailing_whitespace: frozenset({_ASSISTANT}),
    compaction.sealed_block: frozenset({"compaction"}),
    compaction.finished_turn: frozenset({"compaction"}),
    pairing.calls_and_results: frozenset({"tool_use", "tool_result"}),
    pairing.toolset_results: frozenset({"tool_use", "tool_result"}),
    server_pairing.server_calls_and_results: frozenset({MORE_THAN_TEXT}),
    pairing.container_of_pending_calls: frozenset({"tool_use"}),
    from_code.calls_have_their_code: frozenset({"tool_use"}),
    from_code.results_for_code_are_text: frozenset({"tool_use"}),
    tools.unique_names: frozenset({"tools"}),
    tools.tool_choice: frozenset({"tool_choice"}),
    examples.examples_fit_their_schema: _DEFINES,
    from_code.tools_for_code: _DEFINES,
    strict.most_strict: _DEFINES | _FORMS,
    strict.guaranteed_tools: _DEFINES,
    strict.guaranteed_format: _FORMS,
    tools.deferral: frozenset({"tools"}),
    tools.references: frozenset({MORE_THAN_TEXT}),
    tool_changes.changes_are_possible: frozenset({"tool_addition", "tool_removal"}),
    tool_changes.the_chosen_tool_is_there: frozenset({"tool_choice"}),
    tools.container_has_its_tool: frozenset({"container"}),
    tools.mcp_servers_are_used: frozenset({"mcp_servers", "tools"}),
    compaction.edits: frozenset({"context_management"}),
    compaction.compaction_blocks: frozenset({"compaction"}),
    compaction.compaction_alone: frozenset({"compaction"}),
    media.most_images: frozenset({MORE_THAN_TEXT}),
    media.no_heavy_images: frozenset({MORE_THAN_TEXT}),
    media.no_citations_in_a_format: _FORMS,
    media.citations_of_all_or_none: frozenset({"document", "search_result", "tool_result"}),
    thinking.thinking_type: frozenset({"thinking"}),
    thinking.budget: frozenset({"thinking"}),
    thinking.clearing: frozenset({"context_management"}),
    thinking.forced_call: frozenset({"tool_choice"}),
    thinking.effort: frozenset({"output_config", _SYSTEM}),
    thinking.effort_without_thinking: frozenset({"thinking"}),
    sampling.sampling: frozenset({"temperature", "top_p", "top_k"}),
    limits.prefill: frozenset({_ASSISTANT}),
    thinking.system_role: frozenset({_SYSTEM}),
    thinking.not_last: frozenset({_ASSISTANT}),
    thinking.first_if_at_all: frozenset({"thinking"}),
    thinking.open_turn_begins_with_thinking: frozenset({"thinking"}),
    thinking.none_in_final_place_without_thinking: frozenset({_ASSISTANT}),
    limits.prefill_alone: frozenset({_ASSISTANT}),
    tools.types_for_the_model: _DEFINES,
    media.sight: frozenset({MORE_THAN_TEXT}),
    limits.place_and_speed: frozenset({"inference_geo", "speed", "output_config"}),
    compaction.compaction_on_the_model: frozenset({"compaction", "context_management"}),
    unbuilt.blocks: frozenset({MORE_THAN_TEXT}),
    unbuilt.settings: frozenset(setting.path.partition(".")[0] for setting in unbuilt.SETTINGS),
    unbuilt.tools: _DEFINES,
    from_code.unbuilt: _DEFINES,
}
"""What a rung is about (`request.relevance`), where that is less than every request."""

_rungs = relevant(RUNGS, ABOUT)


def check(case: Case) -> Issue | None:
    """The first thing that is wrong with the request under its model's rules, None if it can be answered.

    What images and PDFs hold is not judged here.
    """
    return next((issue for rule in _rungs(case) if (issue := rule(case)) is not None), None)
