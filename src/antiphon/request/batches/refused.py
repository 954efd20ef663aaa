"""What a request may not ask for in a batch, whatever it may ask for alone.

Source: Batches page, supported requests; recorded errors. Keys that no request has are refused when it is read.
"""

from typing import Any, Final, cast

from antiphon.request.case import Issue

IGNORED: Final = ("fallback_credit_token",)
"""Accepted, and without effect."""

_UNSUPPORTED: Final = ("speed", "thread", "fallbacks")


def refused(params: dict[str, Any]) -> Issue | None:
    """The first thing that a batch does not offer."""
    if params.get("stream") is True:
        return _unsupported("stream=True")
    key = next((key for key in _UNSUPPORTED if params.get(key) is not None), None)
    if key is not None:
        return _unsupported(key)
    if type(params.get("max_tokens")) is int and not params["max_tokens"]:
        return Issue("max_tokens: must be greater than or equal to 1")
    policy = params.get("billing_policy")
    if isinstance(policy, dict) and cast("dict[str, object]", policy).get("bill_to") == "user_profile":
        return _unsupported("billing_policy.bill_to: user_profile")
    return None


def _unsupported(what: str) -> Issue:
    return Issue(f'"{what}" is not supported in the Message Batches API')
