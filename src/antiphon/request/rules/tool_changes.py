"""Tools that come and go in a conversation. Source: API reference, Mid-conversation system messages and tool changes.

A system message offers a tool of `tools` by its name, or brings the definition of another, and withdraws one. A
definition under a known name takes the place of the earlier one from there on. What a result or a search has found is
offered too. A summary carries on what was changed before it.
"""

from antiphon.request.case import Case, Issue
from antiphon.request.tools.roster import at_the_end, of_case
from antiphon.wire.tools.definitions import ToolChoiceTool
from antiphon.words import shown


def changes_are_possible(case: Case) -> Issue | None:
    """Every change names a tool that is known there, and leaves every name to one kind of tool."""
    if case.kinds.isdisjoint({"tool_addition", "tool_removal"}):
        return None
    roster = of_case(case)
    for item in case.told:
        issue = roster.take(item)
        if isinstance(issue, Issue):
            return issue
    return None


def the_chosen_tool_is_there(case: Case) -> Issue | None:
    """A tool that must be called has not been taken away, and one that any of is to be called is left."""
    # What servers offer is known only once they were asked, and judged again then.
    if (
        case.kinds.isdisjoint({"tool_addition", "tool_removal", "compaction"})
        or not case.forces_a_tool
        or case.unasked
    ):
        return None
    choice, offered = case.request.tool_choice, at_the_end(case).offered
    if isinstance(choice, ToolChoiceTool) and choice.name not in offered:
        return Issue(f"Tool '{shown(choice.name)}' not found in provided tools")
    return None if offered else Issue("tool_choice: no tool is left to be called at the end of the conversation.")
