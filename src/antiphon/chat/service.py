"""The server that is talked to: which models it has, and what they can."""

from dataclasses import dataclass
from typing import Any, Final

import anthropic

from antiphon.chat.problems import ChatError, Json, in_words

LEVELS: Final = ("low", "medium", "high")
THINKING: Final = ("off", "on", *LEVELS)
"""What `--think` and `/think` take."""

_BUDGETS: Final = {"low": 1024, "on": 4096, "medium": 4096, "high": 16384}
_UNKNOWN_MOST: Final = 4096
_MOST: Final = 16384


@dataclass(frozen=True, slots=True)
class Model:
    """A model, as far as its server tells of it. `window`: 0 where that is not said."""

    name: str
    window: int = 0
    most: int = _UNKNOWN_MOST
    adaptive: bool = False
    efforts: frozenset[str] = frozenset()


class Service:
    """A server of the Messages API. Raises `ChatError` where it cannot be asked."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self.client = anthropic.Anthropic(base_url=self.url, api_key=key, auth_token=None, max_retries=2)

    def names(self) -> list[str]:
        """The models that it lists; none where it has no such list."""
        try:
            return [model.id for model in self.client.models.list(limit=100)]
        except anthropic.NotFoundError:
            return []
        except anthropic.AnthropicError as problem:
            raise ChatError(in_words(problem, self.url)) from problem

    def model(self, name: str) -> Model:
        """What there is to know of a model; a name that the server does not list may still be one it knows."""
        try:
            info = self.client.models.retrieve(name)
        except anthropic.NotFoundError:
            return Model(name)
        except anthropic.AnthropicError as problem:
            raise ChatError(in_words(problem, self.url)) from problem
        can = info.capabilities
        if can is None:
            return Model(name, info.max_input_tokens or 0, min(info.max_tokens or _UNKNOWN_MOST, _MOST))
        efforts = frozenset(level for level in LEVELS if getattr(can.effort, level).supported)
        return Model(
            name,
            window=info.max_input_tokens or 0,
            most=min(info.max_tokens or _UNKNOWN_MOST, _MOST),
            adaptive=can.thinking.types.adaptive.supported,
            efforts=efforts if can.effort.supported else frozenset(),
        )


def thinking_params(level: str, model: Model, most: int) -> Json:
    """What a request says so that the model thinks like this; nothing where nobody said how."""
    if not level:
        return {}
    if level == "off":
        return {"thinking": {"type": "disabled"}}
    if model.adaptive:
        params: dict[str, Any] = {"thinking": {"type": "adaptive", "display": "summarized"}}
        if level in model.efforts:
            params["output_config"] = {"effort": level}
        return params
    # The budget is part of `max_tokens`, and an answer has to fit behind it.
    return {"thinking": {"type": "enabled", "budget_tokens": max(1024, min(_BUDGETS[level], most // 2))}}
