"""How the next token is drawn, in llama.cpp's words."""

from typing import Any, Final

from antiphon.dialogue.conversation import Sampling

_REPEATED: Final = 24
"""Tokens that may be said again before the guard speaks: names, phrases, a line of a song or of a program."""
_REMEMBERED: Final = 512
"""Tokens back in which it looks, those of the prompt among them."""
_GROWTH: Final = 1.75
# A match does not reach across turns. There must be one such text; llama.cpp's own are ends of lines and quotes, and
# a line that is said over and over would go unnoticed.
_BREAKERS: Final = ["<|im_start|>"]


def guarded(asked: Sampling, strength: float) -> dict[str, Any]:
    """What keeps a text from going in circles: llama.cpp's DRY, which makes the token that would go on with a
    sequence
    said before the less likely the longer that sequence is. Nothing where the request sets a sampling of its own.
    """
    if not strength or asked != Sampling():
        return {}
    return {
        "dry_multiplier": strength,
        "dry_base": _GROWTH,
        "dry_allowed_length": _REPEATED,
        "dry_penalty_last_n": _REMEMBERED,
        "dry_sequence_breakers": _BREAKERS,
    }


def native_sampling(asked: Sampling, recommended: Sampling, guard: float = 0.0) -> dict[str, Any]:
    """llama.cpp's settings: what the request says, else what the model's card says, else temperature 1 and no cut.

    Its own defaults (temperature 0.8, `top_k` 40, `top_p` 0.95, `min_p` 0.05) never apply. The order (`top_k`,
    temperature, `top_p`) draws exactly as temperature first and both cuts after it would, and sorts less.
    `guard`: see `guarded`.
    """
    temperature = _first(asked.temperature, recommended.temperature, 1.0)
    top_p = _first(asked.top_p, recommended.top_p, 1.0)
    top_k = int(_first(asked.top_k, recommended.top_k, 0))
    samplers = ["temperature"]
    if temperature > 0 and top_k > 0:
        samplers.insert(0, "top_k")
    if temperature > 0 and top_p < 1:
        samplers.append("top_p")
    against_circles = guarded(asked, guard)
    if against_circles:
        samplers.insert(0, "dry")
    drawn = {"temperature": temperature, "top_p": top_p, "top_k": top_k, "min_p": 0.0, "samplers": samplers}
    return drawn | against_circles


def _first(*choices: float | None) -> float:
    return next(choice for choice in choices if choice is not None)
