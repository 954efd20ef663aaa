"""What is written on a screen about a turn, beside what the model says."""

import json
import re
from typing import Any, Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ENDS: Final = {
    "max_tokens": "The reply was cut off: it has as many tokens as --max-tokens allows.",
    "model_context_window_exceeded": "The reply was cut off: the context window is full. /compact makes room.",
    "refusal": "The model refuses to go on.",
}


def harmless(text: str) -> str:
    """The text without control characters: nothing that a model or a tool writes steers the terminal."""
    return _CONTROL.sub("", text)


def ending(stop_reason: str | None) -> str:
    """What there is to say of a reply that ended so; mostly nothing."""
    return _ENDS.get(stop_reason or "", "")


def call_line(name: str, given: Any, width: int) -> str:
    """A call in one line of so many columns."""
    values = given.values() if isinstance(given, dict) and len(given) == 1 else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
    only = next(iter(values), None) if values is not None else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    text = only if isinstance(only, str) else json.dumps(given, ensure_ascii=False)
    return shortened(f"{name}: {text}", width)


def shortened(text: str, width: int) -> str:
    """The text in one line of so many columns."""
    line = " ".join(harmless(text).split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
