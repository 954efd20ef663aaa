"""Temperature, top_p and top_k. Source: API reference, Messages (version 2023-06-01); texts as recorded.

On models where these are fixed a value that changes nothing is tolerated: temperature 1, top_p 1 (every token), and
top_k 0 (no limit). Version 2026-10-21 has none of these keys, but for models that are not the vendor's.
"""

from antiphon.request.case import Case, Issue

_NEUTRAL = {"temperature": 1, "top_p": 1, "top_k": 0}

_LEAST_TOP_P_WITH_THINKING = 0.95


def sampling(case: Case) -> Issue | None:
    """The request's sampling settings are ones that the model, and thinking, leave open."""
    request = case.creation
    if request is None:
        return None
    values = {key: getattr(request, key) for key in _NEUTRAL}
    given = {key: value for key, value in values.items() if value is not None}
    if case.profile.sampling == "default_only":
        changed = next((key for key, value in given.items() if value != _NEUTRAL[key]), None)
        return None if changed is None else Issue(f"`{changed}` is deprecated for this model.")
    if case.profile.sampling == "one_of" and "temperature" in given and "top_p" in given:
        return Issue("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    return _with_thinking(given) if case.asks_for_thinking else None


def _with_thinking(given: dict[str, float]) -> Issue | None:
    if given.get("temperature", 1) != 1:
        return Issue("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.")
    if given.get("top_p", 1) < _LEAST_TOP_P_WITH_THINKING:
        return Issue(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode"
        )
    if "top_k" in given:
        return Issue("`top_k` must be unset when thinking is enabled or in adaptive mode")
    return None
