"""One model's rules."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Lifecycle = Literal["active", "deprecated", "retired"]
ThinkingType = Literal["enabled", "adaptive", "disabled", "between_tools"]
ThinkingDefault = Literal["off", "on", "always"]
ThinkingDisplay = Literal["summarized", "omitted"]
Effort = Literal["low", "medium", "high", "xhigh", "max"]
EFFORTS: Final[tuple[Effort, ...]] = get_args(Effort)
"""From the least to the most."""
SamplingRule = Literal["free", "one_of", "default_only"]
Overflow = Literal["stop", "refuse"]
Interleaving = Literal["auto", "header", "both", "none"]
ImageTier = Literal["standard", "high"]


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of one model name.

    `window` and `max_output` are tokens and belong to the named model: the serving engine's own window is
    smaller as a rule and limits the prompt too. `thinking`: the accepted `thinking.type` values;
    `thinking_default`: what a silent request gets (`always`: it cannot be turned off). `disabled_max_effort`: the
    highest effort while thinking is off (None: any). `sampling`: `free`; `one_of` (not temperature and top_p
    together); `default_only` (any value but the default is refused). `overflow`: what happens when input plus
    `max_tokens` exceed `window`: `stop` (generation ends with model_context_window_exceeded) or `refuse`.
    `interleaving`: thinking between tool calls comes `auto`matically with adaptive thinking, by `header` in
    manual mode, by either (`both`), or not at all (`none`). `keeps_thinking`: earlier turns' thinking stays in the
    prompt. `prefix_bound`: a thinking signature holds only in the conversation that it was made in.
    `image_tier`: how far images are scaled down. `refused_tools`: tool types that this model does not take. `wide`:
    a name that is not the vendor's, under which all is taken that the model can do, also where the API would refuse
    it under every name. `batch_output`: the tokens that a reply may have in a batch that asks for long ones (None: as
    many as ever).
    """

    id: str
    display_name: str
    created_at: str
    aliases: tuple[str, ...]
    lifecycle: Lifecycle
    line: str | None
    window: int
    max_output: int
    thinking: frozenset[ThinkingType]
    thinking_default: ThinkingDefault
    thinking_display: ThinkingDisplay
    disabled_max_effort: Effort | None
    efforts: tuple[Effort, ...]
    effort_default: Effort | None
    sampling: SamplingRule
    prefill: bool
    forced_tool_choice: bool
    system_role: bool
    min_cache_tokens: int
    overflow: Overflow
    interleaving: Interleaving
    keeps_thinking: bool
    image_tier: ImageTier
    inference_geo: bool
    fast_mode: bool
    task_budget: bool
    compaction: bool
    prefix_bound: bool = False
    refused_tools: tuple[str, ...] = ()
    wide: bool = False
    batch_output: int | None = None
    deprecated_at: str | None = None
    retires_at: str | None = None
