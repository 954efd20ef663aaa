"""A request as one of its fallbacks would be asked: what an entry says replaces what the request says, and what it is
silent on is taken over as far as its model can.

Source: API reference, Messages, fallbacks; official SDK.
"""

from typing import Final

from antiphon.profiles import EFFORTS, Profile
from antiphon.wire.request import CreateMessage
from antiphon.wire.settings import (
    Fallback,
    OutputConfig,
    Thinking,
    ThinkingAdaptive,
    ThinkingDisabled,
    ThinkingEnabled,
)

_NOTHING: Final = OutputConfig()


def for_model(request: CreateMessage, entry: Fallback, profile: Profile) -> CreateMessage:
    """The request as the model of this entry is asked, whose rules are the profile's."""
    thinking = _thinking(request, entry, profile)
    config = _output_config(request, entry, profile, thinking)
    dropped = "output_config" in entry.model_fields_set and entry.output_config is None
    speed = entry.speed if "speed" in entry.model_fields_set else request.speed if profile.fast_mode else None
    return request.model_copy(
        update={
            "model": entry.model,
            "max_tokens": request.max_tokens if entry.max_tokens is None else entry.max_tokens,
            "thinking": thinking,
            "output_config": config,
            "output_format": None if dropped or (config is not None and config.format) else request.output_format,
            "speed": speed,
            "fallbacks": None,
        }
    )


def _thinking(request: CreateMessage, entry: Fallback, profile: Profile) -> Thinking | None:
    asked = request.thinking
    if "thinking" in entry.model_fields_set and entry.thinking is not None:
        return entry.thinking
    if "thinking" not in entry.model_fields_set and asked is not None:
        if asked.type in profile.thinking:
            return asked
        if asked.type == "between_tools" and "disabled" in profile.thinking:
            return ThinkingDisabled(type="disabled")
    # What the model does where nothing is said; how thoughts are shown is the request's all the same.
    display = asked.display if isinstance(asked, ThinkingEnabled | ThinkingAdaptive) else None
    if display is None or profile.thinking_default == "off" or "adaptive" not in profile.thinking:
        return None
    return ThinkingAdaptive(type="adaptive", display=display)


def _output_config(
    request: CreateMessage, entry: Fallback, profile: Profile, thinking: Thinking | None
) -> OutputConfig | None:
    if "output_config" in entry.model_fields_set and entry.output_config is None:
        return None
    asked, own = request.output_config or _NOTHING, entry.output_config or _NOTHING
    said = own.model_fields_set
    effort = own.effort if "effort" in said else asked.effort
    if "effort" not in said and effort is not None and not _takes(profile, effort, thinking):
        effort = None
    budget = own.task_budget if "task_budget" in said else asked.task_budget if profile.task_budget else None
    merged = OutputConfig(effort=effort, format=own.format if "format" in said else asked.format, task_budget=budget)
    return None if merged == _NOTHING else merged


def _takes(profile: Profile, effort: str, thinking: Thinking | None) -> bool:
    """Whether the model has this effort, with this thinking."""
    if effort not in profile.efforts:
        return False
    most = profile.disabled_max_effort
    if most is None or thinking is None or thinking.type not in ("disabled", "between_tools"):
        return True
    return EFFORTS.index(effort) <= EFFORTS.index(most)
