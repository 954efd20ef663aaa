"""Who may ask: the keys that clients send."""

import hmac
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.requests import Request

from antiphon.errors import ApiError
from antiphon.web.identity import CALLER


class Gatekeeper:
    """Checks keys. With none configured every caller is let in; the configuration allows that on loopback only."""

    def __init__(self, api_keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in api_keys]

    def trusts(self, request: Request) -> bool:
        """Whether the caller may be told what is wrong here and where: with a good key, or on this very machine where
        there are none."""
        if not self._keys:
            return request.client is not None and _is_loopback(request.client.host)
        try:
            self.check(request)
        except ApiError:
            return False
        return True

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


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
