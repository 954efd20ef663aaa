"""All that a reply has to know of its request, put down once: what the model is told, and what bounds its answer."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from antiphon.dialogue.conversation import Conversation, Limits, Sampling
from antiphon.request.asked import Asked
from antiphon.request.case import Case
from antiphon.request.sealed.bindings import Binding
from antiphon.request.told.conversation import lower
from antiphon.request.told.thinking import Form, form_of
from antiphon.request.told.thoughts import kept
from antiphon.request.tools.from_code import resumes_code
from antiphon.request.tools.server_calls import Offered, Waiting, offered, waiting
from antiphon.request.tools.toolbox import members
from antiphon.request.whose import Whose, whose
from antiphon.wire.gates import ADVISOR, COMPACT_AT_THRESHOLD, TOKEN_COUNT
from antiphon.wire.request import CountTokens, CreateMessage
from antiphon.wire.tools.server import McpTool

_NO_MEMBERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({})

_NO_TOOLS: Final[Mapping[str, Offered]] = MappingProxyType({})

_NO_MCP: Final[Mapping[str, McpTool]] = MappingProxyType({})


class Task(Struct, frozen=True):
    """What one reply is to do.

    `sampling`: as the request says, None where it is silent. `members`: what a call of a toolset is named → toolset
    and member. `tools`: those that the reply may call and the server runs, by name; `waiting`: calls of theirs that
    are run first. `form`: how thoughts are told; `binding`: what comes before the first of them. `cleared`: turns
    that the request's edits took thoughts from. `estimates`: thinking deltas say how long the thought is so far.
    `itemized`: the usage is told piece by piece. `details`: it tells of thoughts also where there are none. `whose`:
    which conversation's the reply is, and for whom. `resumes_code`: it begins with code that goes on. `mcp`: the
    tools of MCP servers, by what the model calls them.
    """

    conversation: Conversation
    limits: Limits
    sampling: Sampling = Sampling()
    members: Mapping[str, tuple[str, str]] = _NO_MEMBERS
    tools: Mapping[str, Offered] = _NO_TOOLS
    waiting: tuple[Waiting, ...] = ()
    form: Form = "shown"
    binding: Binding = Binding()
    cleared: int = 0
    estimates: bool = False
    itemized: bool = False
    details: bool = False
    whose: Whose = Whose()
    resumes_code: bool = False
    mcp: Mapping[str, McpTool] = _NO_MCP

    @property
    def thinks(self) -> bool:
        """Whether the reply may think."""
        return self.conversation.thinking.budget > 0


def tells_of_thoughts(case: Case) -> bool:
    """Whether the usage counts thoughts, if only to say that there were none: as recorded of names from 4.6 on."""
    return case.thinks or "adaptive" in case.profile.thinking


def task_of(asked: Asked[CreateMessage]) -> Task:
    """The task of an answer, or of a summary where the request asks for one."""
    request, case, opened = asked.request, asked.case, asked.opened
    told = kept(case, opened.thoughts)
    left = waiting(case)
    return Task(
        lower(asked, told),
        Limits(request.max_tokens, tuple(request.stop_sequences or ())),
        Sampling(request.temperature, request.top_p, request.top_k),
        {spoken: (member.toolset, member.name) for spoken, member in members(case.tools).items()},
        offered(case, opened.found, opened.record.found),
        left,
        form_of(request, asked.target.profile),
        opened.thoughts.binding,
        told.cleared,
        TOKEN_COUNT in case.context.betas,
        case.context.unlocks(COMPACT_AT_THRESHOLD | ADVISOR),
        tells_of_thoughts(case),
        whose(asked),
        resumes_code(case, left),
        {tool.name: tool for tool in case.mcp_tools.values()},
    )


def told(asked: Asked[CreateMessage] | Asked[CountTokens]) -> tuple[Conversation, int]:
    """What the model would be told, and how many turns the request's edits took thoughts from."""
    left = kept(asked.case, asked.opened.thoughts)
    return lower(asked, left), left.cleared


def uncleared(asked: Asked[CreateMessage] | Asked[CountTokens]) -> Conversation:
    """What the model would be told without the request's own edits: what these are measured by."""
    return lower(asked, kept(asked.case, asked.opened.thoughts, clearing=False))
