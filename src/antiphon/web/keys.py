"""Who may ask: the keys that clients send."""

import hmac
from collections.abc import Sequence
from typing import cast

from starlette.requests import Request

from antiphon.errors import ApiError
from antiphon.ports.keys import StoredKey
from antiphon.ports.stores import StoreError
from antiphon.service.faults import store_error
from antiphon.service.keys import KeyRing
from antiphon.web.identity import CALLER, IDENTITY, Caller, Identity
from antiphon.web.reached import client_address, is_loopback


class Gatekeeper:
    """Checks keys: those of the settings, and those of the store (`ring`), if there is one.

    Where there are none at all every caller is let in, unless keys are `required`; the configuration allows that on
    loopback only. A store that has ever had a key lets nobody in without one. `metrics_keys`: good for the metrics
    alone.
    """

    def __init__(
        self,
        api_keys: Sequence[str],
        ring: KeyRing | None = None,
        *,
        required: bool = False,
        metrics_keys: Sequence[str] = (),
    ) -> None:
        self._keys = [key.encode() for key in api_keys]
        self._ring = ring
        self._metrics_keys = [key.encode() for key in metrics_keys]
        self._required = required or bool(api_keys)

    async def trusts(self, request: Request) -> bool:
        """Whether the caller may be told what is wrong here and where: with a good key, or on this very machine where
        there are none."""
        try:
            await self.check(request)
        except ApiError:
            return False
        return CALLER in request.scope or is_loopback(client_address(request))

    async def check(self, request: Request) -> None:
        """Let a caller with a good key in `x-api-key` or `Authorization: Bearer` pass, and note which; 401 for the
        rest.

        Clients send either header for either kind of key, and some send both: one good key is enough.
        """
        found = await self._shown(request)
        if isinstance(found, StoredKey) and found.admin:
            raise ApiError("authentication_error", "invalid x-api-key")
        self._note(request, found)

    async def check_admin(self, request: Request) -> None:
        """Let a caller with a good admin key pass; 401 for those without a key, 403 for those with another."""
        found = await self._shown(request)
        if found is not None and not (isinstance(found, StoredKey) and found.admin):
            raise ApiError("permission_error", "This endpoint requires an admin API key.")
        self._note(request, found)

    def knows(self, request: Request, workspace: str) -> bool:
        """Whether a key is, or was, of this workspace; or it is the one of those who show none."""
        identity = cast("Identity", request.scope[IDENTITY])
        return workspace in identity.workspaces or (self._ring is not None and workspace in self._ring.workspaces)

    async def check_metrics(self, request: Request) -> None:
        """Let those pass who may know how much everybody asks for: with a key of the metrics or an admin key, or on
        this very machine where there are no keys at all."""
        if _matching(_offered(request), self._metrics_keys):
            return
        if await self._shown(request) is None and (self._metrics_keys or not is_loopback(client_address(request))):
            raise ApiError("authentication_error", "x-api-key header is required")
        await self.check_admin(request)

    async def _shown(self, request: Request) -> StoredKey | int | None:
        """The key that was shown, or its number in the settings; None where none is wanted. Raises `ApiError`."""
        if not self._required and self._ring is None:
            return None
        offered = _offered(request)
        number = self._configured(offered)
        if number is not None:
            return number
        if self._ring is not None:
            await _refresh(self._ring)
            for offer in offered:
                if offer and (key := self._ring.find(offer)) is not None:
                    return key
        if not self._required and not (self._ring is not None and self._ring.used):
            return None
        if not any(offered):
            raise ApiError("authentication_error", "x-api-key header is required")
        raise ApiError("authentication_error", "invalid x-api-key")

    def _configured(self, offered: Sequence[str]) -> int | None:
        matches = _matching(offered, self._keys)
        return matches[0] if matches else None

    @staticmethod
    def _note(request: Request, found: StoredKey | int | None) -> None:
        if isinstance(found, StoredKey):
            request.scope[CALLER] = Caller(found.workspace, found.id, found.models)
        elif found is not None:
            request.scope[CALLER] = cast("Identity", request.scope[IDENTITY]).configured(found)


def _matching(offered: Sequence[str], keys: Sequence[bytes]) -> list[int]:
    """The numbers of the keys that were offered. Every pair is compared, in constant time each, so that timing tells
    nothing about the keys."""
    return [
        number for offer in offered for number, key in enumerate(keys) if hmac.compare_digest(offer.encode(), key)
    ]


async def _refresh(ring: KeyRing) -> None:
    if not ring.stale:
        return
    try:
        await ring.refresh()
    except StoreError as problem:
        raise store_error(problem) from problem


def _offered(request: Request) -> list[str]:
    offered: list[str] = []
    bearers: list[str] = []
    for name, value in request.scope["headers"]:
        if name == b"x-api-key":
            offered.append(value.decode("latin-1"))
        elif name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                bearers.append(token.strip())
    return offered + bearers
