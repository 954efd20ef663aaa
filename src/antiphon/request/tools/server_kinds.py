"""The one table of the kinds of tools that run inside a server, and what follows from it.

Adding a kind is a row here, the tool itself in `tools`, and how its results are told in `request.told`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Final, Literal

from antiphon.wire.content.blocks import Block, OwnResultBlock

State = Literal["configured", "always", "sandboxed", "elsewhere", "unbuilt"]


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A kind of server tool. `prefix`: what the types of its definitions begin with.

    `calls`: the name of each call → the type of the block that answers it. `results`: result blocks of calls that go
    by names of their own. `blocks`: further blocks that only this kind uses. `state`: it runs where the owner has
    configured it, on every server, where code can be run, on a host that the request names, or is not built.
    `counter`: its key in `usage.server_tool_use`. `listed`: the models' capabilities say whether it is there.
    """

    prefix: str
    calls: Mapping[str, str]
    state: State
    results: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()
    counter: str | None = None
    listed: bool = False
    answers: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "answers", self.results.union(self.calls.values()))


KINDS: Final = (
    ServerKind(
        "web_search",
        {"web_search": "web_search_tool_result"},
        "configured",
        counter="web_search_requests",
        listed=True,
    ),
    ServerKind("web_fetch", {"web_fetch": "web_fetch_tool_result"}, "configured", counter="web_fetch_requests"),
    ServerKind(
        "code_execution",
        {
            "code_execution": "code_execution_tool_result",
            "bash_code_execution": "bash_code_execution_tool_result",
            "text_editor_code_execution": "text_editor_code_execution_tool_result",
        },
        "sandboxed",
        blocks=frozenset({"container_upload"}),
        listed=True,
    ),
    ServerKind(
        "tool_search_tool",
        {
            "tool_search_tool_regex": "tool_search_tool_result",
            "tool_search_tool_bm25": "tool_search_tool_result",
        },
        "always",
    ),
    ServerKind("advisor", {"advisor": "advisor_tool_result"}, "unbuilt"),
    ServerKind(
        "mcp_toolset",
        {},
        "elsewhere",
        results=frozenset({"mcp_tool_result"}),
        blocks=frozenset({"mcp_tool_use", "mcp_tool_listing"}),
    ),
)

SERVER_RESULTS: Final = frozenset(chain.from_iterable(kind.answers for kind in KINDS))
"""The blocks that hold what a tool inside the server answered; an assistant message may end with one."""

CALLS_AND_RESULTS: Final = SERVER_RESULTS | {"server_tool_use", "mcp_tool_use"}
"""The types of blocks that calls of the server's tools and their results travel in."""

RESULT_OF: Final = MappingProxyType({call: result for kind in KINDS for call, result in kind.calls.items()})
"""Name of a call → the type of the block that answers it."""

CALLS: Final = frozenset(call for kind in KINDS if kind.state != "unbuilt" for call in kind.calls)
"""The calls that the model can be shown."""

CONFIGURED: Final = tuple(kind.prefix for kind in KINDS if kind.state == "configured")
"""What the types of tools begin with that run inside the server where its owner has configured them."""

ALWAYS: Final = tuple(kind.prefix for kind in KINDS if kind.state == "always")
"""What the types of tools begin with that run inside every server."""

SANDBOXED: Final = tuple(kind.prefix for kind in KINDS if kind.state == "sandboxed")
"""What the types of tools begin with that run where there is a sandbox."""

ELSEWHERE: Final = tuple(kind.prefix for kind in KINDS if kind.state == "elsewhere")
"""What the types of tools begin with that run on hosts which a request names."""

UNBUILT: Final = tuple(kind.prefix for kind in KINDS if kind.state == "unbuilt")
"""What the types of tools begin with that do not run here yet."""

UNBUILT_BLOCKS: Final = frozenset(
    chain.from_iterable(kind.answers | kind.blocks for kind in KINDS if kind.state == "unbuilt")
)
"""The blocks of those, which the model cannot be shown."""

COUNTERS: Final = tuple(kind.counter for kind in KINDS if kind.counter is not None)
"""The keys of `usage.server_tool_use`."""

LISTED: Final = tuple(kind.prefix for kind in KINDS if kind.listed)
"""The kinds that the models' capabilities speak of."""


def is_server_result(block: Block) -> bool:
    """Whether the block holds what a tool inside the server answered."""
    return block.type in SERVER_RESULTS or isinstance(block, OwnResultBlock)


def tool_of(call: str) -> str:
    """What the type of the tool begins with that is called by this name: the name, unless its kind has another."""
    kind = next((kind for kind in KINDS if call in kind.calls), None)
    return call if kind is None or call.startswith(kind.prefix) else kind.prefix
