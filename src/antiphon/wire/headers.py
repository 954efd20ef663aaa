"""The two protocol headers of a request: `anthropic-version` and `anthropic-beta`."""

from collections.abc import Sequence
from typing import Final, Literal, cast, get_args

from antiphon.errors import InvalidRequest

Version = Literal["2023-06-01", "2026-10-21"]

_VERSIONS: Final = frozenset[str](get_args(Version))

_NONE: Final[frozenset[str]] = frozenset()
"""One for all requests without: each keeps what it named until its reply has ended."""

KNOWN_BETAS: Final[frozenset[str]] = frozenset(
    {
        # What the official SDK's type of the header lists.
        "admin-user-sign-out-2026-10-08",
        "advisor-tool-2026-03-01",
        "agent-memory-2026-07-22",
        "analytics-usage-cost-2026-08-24",
        "cache-diagnosis-2026-04-07",
        "ce-claude-code-managed-settings-2026-10-06",
        "ce-plugins-2026-09-01",
        "ce-user-management-2026-07-13",
        "code-execution-2025-05-22",
        "compact-2026-01-12",
        "compact-2026-09-04",
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dev-full-thinking-2025-05-14",
        "dreaming-2026-04-21",
        "efs-2026-10-01",
        "experimental-claude-tag-2026-10-21",
        "extended-cache-ttl-2025-04-11",
        "fallback-credit-2026-06-01",
        "fallback-credit-2026-07-01",
        "fast-mode-2026-02-01",
        "files-api-2025-04-14",
        "google-managed-data-controls-2026-09-01",
        "inline-tools-2026-09-15",
        "interleaved-thinking-2025-05-14",
        "managed-agents-2026-04-01",
        "mcp-client-2025-04-04",
        "mcp-client-2025-11-20",
        "mcp-client-2026-09-15",
        "mcp-tunnels-2026-06-22",
        "message-batches-2024-09-24",
        "message-threads-2026-08-12",
        "mid-conversation-output-config-2026-07-01",
        "mid-conversation-system-clear-at-2026-08-21",
        "mid-conversation-tool-changes-2026-07-01",
        "model-context-window-exceeded-2025-08-26",
        "output-128k-2025-02-19",
        "output-300k-2026-03-24",
        "pdfs-2024-09-25",
        "prompt-caching-2024-07-31",
        "server-side-fallback-2026-06-01",
        "server-side-fallback-2026-07-01",
        "skills-2025-10-02",
        "spend-limit-reads-2026-09-26",
        "structured-outputs-2025-11-13",
        "task-budgets-2026-03-13",
        "telemetry-destinations-2026-08-11",
        "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18",
        "thinking-token-count-2026-05-13",
        "token-counting-2024-11-01",
        "token-efficient-tools-2025-02-19",
        "user-profiles-2026-03-24",
        "user-profiles-2026-08-18",
        "user-profiles-2026-09-04",
        "user-profiles-billing-2026-10-01",
        "webhooks-2026-10-07",
        # Documented elsewhere, or sent by the vendor's own clients.
        "advanced-tool-use-2025-11-20",
        "claude-code-20250219",
        "effort-2025-11-24",
        "fine-grained-tool-streaming-2025-05-14",
        "max-tokens-3-5-sonnet-2024-07-15",
        "mid-conversation-system-2026-04-07",
        "per-turn-control-2026-07-01",
        "prompt-caching-scope-2026-01-05",
        "structured-outputs-2025-12-15",
        "tool-examples-2025-10-29",
        "tool-search-tool-2025-10-19",
        # Recorded as accepted; nothing waits for them any more.
        "tools-2024-04-04",
        "web-fetch-2025-09-10",
    }
)


def parse_version(value: str | None) -> Version:
    """The protocol version that a request asks for; `value` is the header's text, None when it is absent.

    Raises `InvalidRequest` for a missing or unknown version. Source: API reference, Versions.
    """
    if value is None:
        raise InvalidRequest("anthropic-version: header is required")
    if value not in _VERSIONS:
        raise InvalidRequest(f'anthropic-version: "{value}" is not a valid version')
    return cast("Version", value)


def parse_betas(values: Sequence[str], *, strict: bool) -> frozenset[str]:
    """The beta features that a request asks for; `values` holds each occurrence of the header.

    An occurrence is a comma-separated list. Unknown names are kept, since clients are newer than servers as a
    rule; with `strict` they raise `InvalidRequest`, as does an occurrence that names nothing. An empty part of a list
    is none (RFC 9110 §5.6.1). Source: API reference, Beta headers.
    """
    names: list[str] = []
    for value in values:
        named = [name for part in value.split(",") if (name := part.strip())]
        names += named or ([""] if strict else [])
    if strict and (unknown := [name for name in dict.fromkeys(names) if name not in KNOWN_BETAS]):
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise InvalidRequest(
            f"Unexpected value(s) {listed} for the `anthropic-beta` header. Please consult our documentation "
            "at platform.claude.com/docs or try again without the header."
        )
    return frozenset(names) if names else _NONE
