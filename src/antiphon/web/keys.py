"""Who may ask: the keys that clients send."""

import hmac
from collections.abc import Sequence

from starlette.requests import Request

from antiphon.errors import ApiError
from antiphon.web.identity import CALLER


class Gatekeeper:
    """Checks keys. With none configured every caller is let in; the configuration allows that on loopback only."""

    def __init__(self, api_keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in api_keys]

    def check(self, request: Request) -> None:
        """Let a caller with a good key in `x-api-key` or `Authorization: Bearer` pass, and note which; 401 for the
        rest.

        Clients send either header for either kind of key, and some send both: one good key is enough.
        """
        if not self._keys:
            return
        offered = request.headers.getlist("x-api-key")
        for value in request.headers.getlist("authorization"):
            scheme, _, token = value.partition(" ")
            if scheme.lower() == "bearer":
                offered.append(token.strip())
        if not any(offered):
            raise ApiError("authentication_error", "x-api-key header is required")
        # Every pair is compared, in constant time each, so that timing tells nothing about the keys.
        matches = [
            number
            for offer in offered
            for number, key in enumerate(self._keys)
            if hmac.compare_digest(offer.encode(), key)
        ]
        if not matches:
            raise ApiError("authentication_error", "invalid x-api-key")
        request.scope[CALLER] = matches[0]
