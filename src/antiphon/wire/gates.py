"""Which beta headers unlock what: the names of features, and the header values that stand for them.

Source: API reference, Beta headers; a feature that left beta has no entry.
"""

from collections.abc import Mapping
from typing import Final

INTERLEAVED = "interleaved-thinking-2025-05-14"

TOKEN_COUNT = "thinking-token-count-2026-05-13"

ADVISOR: Final = frozenset({"advisor-tool-2026-03-01"})

COMPUTER_2024: Final = frozenset({"computer-use-2024-10-22"})

COMPUTER_2025_01: Final = frozenset({"computer-use-2025-01-24"})

COMPUTER_2025_11: Final = frozenset({"computer-use-2025-11-24"})

MCP_SERVERS: Final = frozenset({"mcp-client-2025-04-04", "mcp-client-2025-11-20", "mcp-client-2026-09-15"})

MCP_SERVER_TOOLS: Final = frozenset({"mcp-client-2025-04-04"})

MCP_TOOLSET: Final = frozenset({"mcp-client-2025-11-20", "mcp-client-2026-09-15"})

MCP_LISTING: Final = frozenset({"mcp-client-2026-09-15"})

CLEARING: Final = frozenset({"context-management-2025-06-27"})

COMPACT_AT_THRESHOLD: Final = frozenset({"compact-2026-01-12"})

COMPACT_ON_DEMAND: Final = frozenset({"compact-2026-09-04"})

FALLBACK: Final = frozenset({"server-side-fallback-2026-06-01", "server-side-fallback-2026-07-01"})

FALLBACK_DEFAULT: Final = frozenset({"server-side-fallback-2026-07-01"})

FALLBACK_CREDIT: Final = frozenset({"fallback-credit-2026-06-01", "fallback-credit-2026-07-01"})

FALLBACK_CREDIT_MODES: Final = frozenset({"fallback-credit-2026-07-01"})

FILES: Final = frozenset({"files-api-2025-04-14"})
"""It unlocks nothing: who sends it is answered in the shapes of the beta."""

SKILLS: Final = frozenset({"skills-2025-10-02"})
"""The same of skills."""

THREADS: Final = frozenset({"message-threads-2026-08-12"})

BILLING_POLICY: Final = frozenset({"user-profiles-billing-2026-10-01"})

TASK_BUDGET: Final = frozenset({"task-budgets-2026-03-13"})

OUTPUT_FORMAT: Final = frozenset({"structured-outputs-2025-11-13", "structured-outputs-2025-12-15"})

BLOCK_BINDING: Final = frozenset({"thinking-binding-controls-2026-08-01"})

THINKING_UPDATES: Final = frozenset({"thinking-display-updates-2026-08-18"})

CLEAR_AT: Final = frozenset({"mid-conversation-system-clear-at-2026-08-21"})

# The coding agents of the API's vendor ask for the same key by a name of their own.
TURN_OUTPUT_CONFIG: Final = frozenset({"mid-conversation-output-config-2026-07-01", "per-turn-control-2026-07-01"})

INLINE_TOOLS: Final = frozenset({"inline-tools-2026-09-15"})

TOOL_CHANGES: Final = frozenset({"mid-conversation-tool-changes-2026-07-01"}) | INLINE_TOOLS

LONG_OUTPUT: Final = frozenset({"output-300k-2026-03-24"})

CACHE_SCOPE: Final = frozenset({"prompt-caching-scope-2026-01-05"})

FINE_GRAINED_STREAMING: Final = frozenset({"fine-grained-tool-streaming-2025-05-14"})

# The members of unions that are still in beta. No tag stands for two things.
LOCKED_TAGS: Final[Mapping[str, frozenset[str]]] = {
    # content blocks
    "advisor_tool_result": ADVISOR,
    "compaction": COMPACT_AT_THRESHOLD | COMPACT_ON_DEMAND,
    "fallback": FALLBACK,
    "mcp_tool_listing": MCP_LISTING,
    "mcp_tool_result": MCP_SERVERS,
    "mcp_tool_use": MCP_SERVERS,
    "tool_addition": TOOL_CHANGES,
    "tool_removal": TOOL_CHANGES,
    # what a tool change names
    "tool_definition": INLINE_TOOLS,
    # tools
    "advisor_20260301": ADVISOR,
    "bash_20241022": COMPUTER_2024,
    "computer_20241022": COMPUTER_2024,
    "computer_20250124": COMPUTER_2025_01,
    "computer_20251124": COMPUTER_2025_11,
    "mcp_toolset": MCP_TOOLSET,
    "text_editor_20241022": COMPUTER_2024,
    # context management
    "clear_thinking_20251015": CLEARING,
    "clear_tool_uses_20250919": CLEARING,
    "compact_20260112": COMPACT_AT_THRESHOLD,
}
