"""The settings of a request: thinking, output, context management, and the smaller objects of the top level.

Source: API reference, Messages; the beta keys' own pages.
"""

import re
from typing import Annotated, Final, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from antiphon.profiles import Effort
from antiphon.wire.base import (
    BetaChoices,
    ByKind,
    ByType,
    Items,
    JsonObject,
    Maybe,
    WireModel,
    beta_field,
    complaint,
    context_of,
)
from antiphon.wire.gates import (
    BLOCK_BINDING,
    FALLBACK_CREDIT_MODES,
    FALLBACK_DEFAULT,
    MCP_SERVER_TOOLS,
    TASK_BUDGET,
    THINKING_UPDATES,
)

EffortLevel = Effort
Display = Annotated[Literal["summarized", "omitted", "updates"], BetaChoices({"updates": THINKING_UPDATES})]


class BlockBinding(WireModel):
    """What happens to a thinking block that comes back in another conversation (beta)."""

    prefix_mismatch_behavior: Literal["error", "drop_block"] | None = None


class ThinkingEnabled(WireModel):
    """The model thinks, for at most `budget_tokens` tokens."""

    type: Literal["enabled"]
    budget_tokens: Annotated[int, Field(ge=1024)]
    display: Display | None = None
    block_binding: Annotated[BlockBinding | None, beta_field(BLOCK_BINDING)] = None


class ThinkingDisabled(WireModel):
    """The model does not think."""

    type: Literal["disabled"]


class ThinkingAdaptive(WireModel):
    """The model thinks as much as it finds useful."""

    type: Literal["adaptive"]
    display: Display | None = None
    block_binding: Annotated[BlockBinding | None, beta_field(BLOCK_BINDING)] = None


class ThinkingBetweenTools(WireModel):
    """The model thinks between tool calls only."""

    type: Literal["between_tools"]


Thinking = Annotated[ThinkingEnabled | ThinkingDisabled | ThinkingAdaptive | ThinkingBetweenTools, ByType()]


class JsonSchemaFormat(WireModel):
    """The answer is JSON of this schema. Which schemas can be kept to is a rule, not a shape."""

    type: Literal["json_schema"]
    schema_: JsonObject = Field(alias="schema")


class TaskBudget(WireModel):
    """The tokens of a whole task, shown to the model as a countdown (beta)."""

    type: Literal["tokens"]
    total: Annotated[int, Field(ge=20_000)]
    remaining: Annotated[int, Field(ge=0)] | None = None


class OutputConfig(WireModel):
    """How much work the model puts into the answer, and what form the answer has."""

    effort: EffortLevel | None = None
    format: JsonSchemaFormat | None = None
    task_budget: Annotated[TaskBudget | None, beta_field(TASK_BUDGET)] = None


class TurnOutputConfig(WireModel):
    """What a system message changes from here on (beta)."""

    effort: EffortLevel | None = None


# Looks around an `@` only, so that a long text costs no more than one pass.
_ADDRESS: Final = re.compile(r"(?<=[\w.+%-])@[\w-]{1,63}\.[\w-]")


def _check_user(user_id: str) -> str:
    if _ADDRESS.search(user_id):
        raise complaint("user_id appears to contain an email address")
    return user_id


class Metadata(WireModel):
    """Who the request is made for; never something that names a person."""

    user_id: Annotated[str, AfterValidator(_check_user)] | None = None


MOST_SKILLS: Final = 20


class Skill(WireModel):
    """A skill that is put into the container."""

    type: Literal["anthropic", "custom"]
    skill_id: str
    version: Maybe[str] = None


class ContainerParams(WireModel):
    """The container that code runs in: a known one, or a new one with skills."""

    id: str | None = None
    skills: Annotated[Items[Skill], Field(max_length=MOST_SKILLS)] | None = None


Container = Annotated[str | ContainerParams, ByKind(name="ContainerParams")]


class Diagnostics(WireModel):
    """The earlier message with which this request's prompt is compared."""

    previous_message_id: str | None = None


class InputTokens(WireModel):
    """So many tokens of input."""

    type: Literal["input_tokens"]
    value: Annotated[int, Field(ge=0)]


class ToolUses(WireModel):
    """So many tool calls."""

    type: Literal["tool_uses"]
    value: Annotated[int, Field(ge=0)]


class ClearToolUses(WireModel):
    """Old tool results are cleared; what is silent here has the documented default."""

    type: Literal["clear_tool_uses_20250919"]
    trigger: Maybe[Annotated[InputTokens | ToolUses, ByType()]] = None
    keep: Maybe[ToolUses] = None
    clear_at_least: InputTokens | None = None
    exclude_tools: Items[str] | None = None
    clear_tool_inputs: Annotated[bool | Items[str], ByKind()] | None = None


class ThinkingTurns(WireModel):
    """So many turns with thinking."""

    type: Literal["thinking_turns"]
    value: Annotated[int, Field(ge=1)]


class AllThinkingTurns(WireModel):
    """All turns with thinking."""

    type: Literal["all"]


class ClearThinking(WireModel):
    """Old thinking is cleared."""

    type: Literal["clear_thinking_20251015"]
    keep: Maybe[
        Annotated[
            Literal["all"] | Annotated[ThinkingTurns | AllThinkingTurns, ByType()],
            ByKind(),
        ]
    ] = None


LEAST_COMPACT_TRIGGER: Final = 50_000


class Compact(WireModel):
    """The conversation is summarized when it is long."""

    type: Literal["compact_20260112"]
    trigger: InputTokens | None = None
    pause_after_compaction: Maybe[bool] = None
    instructions: str | None = None

    @model_validator(mode="after")
    def _trigger_is_high_enough(self) -> Self:
        if self.trigger is not None and self.trigger.value < LEAST_COMPACT_TRIGGER:
            raise complaint(f"trigger.value must be at least {LEAST_COMPACT_TRIGGER}")
        return self


Edit = Annotated[ClearToolUses | ClearThinking | Compact, ByType()]


class ContextManagement(WireModel):
    """What is cleared or summarized before the model reads the conversation (beta)."""

    edits: Maybe[Items[Edit]] = None


class Compaction(WireModel):
    """The conversation is summarized now (beta)."""

    type: Literal["summarize"]
    instructions: Annotated[str, StringConstraints(max_length=16_384)] | None = None


class McpServerTools(WireModel):
    """Which of the server's tools may be used (the first form of the MCP connector)."""

    enabled: bool | None = None
    allowed_tools: Items[str] | None = None


class McpServer(WireModel):
    """An MCP server that the API talks to (beta)."""

    type: Literal["url"]
    name: str
    url: str
    authorization_token: str | None = None
    tool_configuration: Annotated[McpServerTools | None, beta_field(MCP_SERVER_TOOLS)] = None


class Fallback(WireModel):
    """Another model that answers when the first refuses (beta); the other keys replace the request's."""

    model: Annotated[str, StringConstraints(min_length=1)]
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    output_config: OutputConfig | None = None
    speed: Literal["standard", "fast"] | None = None
    thinking: Thinking | None = None


def _default_unlocked(value: object, info: ValidationInfo) -> object:
    context = context_of(info)
    if value == "default" and context is not None and not context.unlocks(FALLBACK_DEFAULT):
        raise complaint("Input should be a valid array")
    return value


Fallbacks = Annotated[
    Literal["default"] | Annotated[Items[Fallback], Field(min_length=1, max_length=3)],
    ByKind(),
    BeforeValidator(_default_unlocked),
]


class FallbackCredit(WireModel):
    """What a refusal left to pay for the next request with (beta)."""

    token: str
    mode: Maybe[Literal["strict", "best_effort"]] = None


def _modes_unlocked(value: object, info: ValidationInfo) -> object:
    context = context_of(info)
    if isinstance(value, dict) and context is not None and not context.unlocks(FALLBACK_CREDIT_MODES):
        raise complaint("Input should be a valid string")
    return cast("object", value)


FallbackCreditToken = Annotated[str | FallbackCredit, ByKind(), BeforeValidator(_modes_unlocked)]


class ThreadCreate(WireModel):
    """The server keeps the conversation (beta)."""

    type: Literal["create"]


class ThreadContinue(WireModel):
    """The request goes on with a kept conversation (beta)."""

    type: Literal["continue"]
    previous_message_id: str


Thread = Annotated[ThreadCreate | ThreadContinue, ByType()]


class BillingPolicy(WireModel):
    """Who pays (beta)."""

    type: Literal["billing_policy"]
    bill_to: Maybe[Literal["self", "user_profile"]] = None
