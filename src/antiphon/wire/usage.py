"""What travels of reports of use and of costs.

Source: Admin API reference, Get Messages Usage Report and Get Cost Report.
"""

from typing import Literal

import msgspec

from antiphon.wire.reply import CacheCreation, ReplyModel

CostType = Literal["tokens", "web_search"]

TokenType = Literal[
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
    "output_tokens",
]


class SearchUse(ReplyModel, frozen=True, kw_only=True):
    """How often server tools ran that cost something."""

    web_search_requests: int = 0


class UsageResult(ReplyModel, frozen=True, kw_only=True):
    """What requests came to that are alike in what is told apart; all else of them is null."""

    uncached_input_tokens: int = 0
    cache_creation: CacheCreation = msgspec.field(default_factory=CacheCreation)
    cache_read_input_tokens: int = 0
    output_tokens: int = 0
    server_tool_use: SearchUse = msgspec.field(default_factory=SearchUse)
    account_id: str | None = None
    api_key_id: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None
    model: str | None = None
    service_account_id: str | None = None
    service_tier: str | None = None
    speed: str | None = None
    workspace_id: str | None = None


class CostResult(ReplyModel, frozen=True, kw_only=True):
    """What something cost. `amount`: cents, as a decimal number. All but `workspace_id` is null unless costs are told
    apart by their description."""

    amount: str
    currency: Literal["USD"] = "USD"
    cost_type: CostType | None = None
    description: str | None = None
    model: str | None = None
    token_type: TokenType | None = None
    service_tier: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None
    workspace_id: str | None = None


class UsageBucket(ReplyModel, frozen=True, kw_only=True):
    """What came to an end in a while."""

    starting_at: str
    ending_at: str
    results: list[UsageResult]


class CostBucket(ReplyModel, frozen=True, kw_only=True):
    """What a while cost."""

    starting_at: str
    ending_at: str
    results: list[CostResult]


class UsageReport(ReplyModel, frozen=True, kw_only=True):
    """A page of buckets, the oldest first, also of those in which there was nothing."""

    data: list[UsageBucket]
    has_more: bool
    next_page: str | None


class CostReport(ReplyModel, frozen=True, kw_only=True):
    """The same of costs."""

    data: list[CostBucket]
    has_more: bool
    next_page: str | None
