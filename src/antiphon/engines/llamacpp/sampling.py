"""How the next token is drawn, in llama.cpp's words."""

from typing import Any

from antiphon.dialogue.conversation import Sampling


def native_sampling(asked: Sampling, recommended: Sampling) -> dict[str, Any]:
    """llama.cpp's settings: what the request says, else what the model's card says, else temperature 1 and no cut.

    Its own defaults (temperature 0.8, `top_k` 40, `top_p` 0.95, `min_p` 0.05) never apply. The order (`top_k`,
    temperature, `top_p`) draws exactly as temperature first and both cuts after it would, and sorts less.
    """
    temperature = _first(asked.temperature, recommended.temperature, 1.0)
    top_p = _first(asked.top_p, recommended.top_p, 1.0)
    top_k = int(_first(asked.top_k, recommended.top_k, 0))
    samplers = ["temperature"]
    if temperature > 0 and top_k > 0:
        samplers.insert(0, "top_k")
    if temperature > 0 and top_p < 1:
        samplers.append("top_p")
    return {"temperature": temperature, "top_p": top_p, "top_k": top_k, "min_p": 0.0, "samplers": samplers}


def _first(*choices: float | None) -> float:
    return next(choice for choice in choices if choice is not None)
