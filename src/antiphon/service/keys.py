"""Keys that the owner makes for callers: made, ended, and known to a server that runs without a start of it."""

import asyncio
import logging
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.keys import KeyStore, StoredKey
from antiphon.ports.system import Clock, Entropy

log = logging.getLogger(__name__)

KEY: Final = "sk-ant-api03-"
ADMIN_KEY: Final = "sk-ant-admin01-"

FRESH: Final = 1.0
"""Seconds for which a process goes by what it knows of keys."""

STALE: Final = 300.0
"""Seconds for which it does so where the store does not answer."""

_PATIENCE: Final = 0.5
"""Seconds that a request waits for the store, where what is known will do."""

_SECRET_BYTES: Final = 32
_MICROS: Final = 1_000_000
_SHOWN: Final = 4


class KeyProblem(Exception):  # noqa: N818 - reads as what happened
    """What is asked of a key cannot be done; the text says why."""


def digest_of(secret: str) -> str:
    """What is kept of a key. A key is 256 random bits: nothing slower would make it harder to guess."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that is to be made. `workspace`: a name, or the id of one; `lasting`: seconds, None: for good."""

    name: str
    workspace: str = "default"
    models: tuple[str, ...] | None = None
    admin: bool = False
    lasting: float | None = None


class Keys:
    """What the owner does with keys. Raises `StoreError` and `KeyProblem`."""

    def __init__(self, store: KeyStore, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy

    async def add(self, wanted: Wanted) -> tuple[StoredKey, str]:
        """A new key, and its secret, which nobody can ask for again."""
        if any(key.name == wanted.name and key.good(self._now()) for key in await self._store.all()):
            raise KeyProblem(f"there is a key named {wanted.name} already")
        now = self._now()
        new_id = make_id("wrkspc_", self._entropy.bytes(ENTROPY_BYTES))
        workspace, name = await self._store.workspace(wanted.workspace, new_id, now)
        ends_at = None if wanted.lasting is None else now + round(wanted.lasting * _MICROS)
        made = StoredKey("", "", wanted.name, "", workspace, name, now, wanted.models, wanted.admin, ends_at)
        key, secret = self._made(made)
        await self._store.add(key)
        return key, secret

    async def rotate(self, name: str, grace: float) -> tuple[StoredKey, str]:
        """A key in the place of another, which stays good for so many seconds yet."""
        old = await self._named(name)
        now = self._now()
        key, secret = self._made(replace(old, created_at=now))
        await self._store.add(key, replaces=old.id, ends_at=now + round(grace * _MICROS))
        return key, secret

    async def revoke(self, name: str) -> StoredKey:
        """The key of this name or id is good no more."""
        key = await self._named(name)
        await self._store.revoke(key.id, self._now())
        return key

    async def all(self) -> Sequence[StoredKey]:
        """Every key there ever was."""
        return await self._store.all()

    async def _named(self, name: str) -> StoredKey:
        good = [key for key in await self._store.all() if key.good(self._now()) and name in (key.id, key.name)]
        if not good:
            raise KeyProblem(f"no key that is good has the name or id {name}")
        return good[-1]

    def _made(self, key: StoredKey) -> tuple[StoredKey, str]:
        prefix = ADMIN_KEY if key.admin else KEY
        letters = urlsafe_b64encode(self._entropy.bytes(_SECRET_BYTES)).decode().rstrip("=")
        secret = prefix + letters
        id_ = make_id("apikey_", self._entropy.bytes(ENTROPY_BYTES))
        hint = f"{prefix}{letters[:_SHOWN]}...{letters[-_SHOWN:]}"
        return replace(key, id=id_, digest=digest_of(secret), hint=hint), secret

    def _now(self) -> int:
        return round(self._clock.now() * _MICROS)


class KeyRing:
    """What one process knows of the keys: all of them, so that guesses cost the store nothing."""

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._keys: dict[str, StoredKey] = {}
        self._version = -1
        self._tried = self._looked = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    @property
    def used(self) -> bool:
        """Whether there has ever been a key; from then on nobody is let in without one."""
        return self._version != 0

    @property
    def workspaces(self) -> set[str]:
        """Those that keys were made for."""
        return {key.workspace for key in self._keys.values()}

    def find(self, secret: str) -> StoredKey | None:
        """The key, if it is good. What is compared in time that differs is a digest, which tells nothing of a key."""
        key = self._keys.get(digest_of(secret))
        return key if key is not None and key.good(round(self._clock.now() * _MICROS)) else None

    @property
    def stale(self) -> bool:
        """Whether `refresh` has something to do."""
        now = self._clock.now()
        return self._version < 0 or now - self._looked > STALE or not 0 <= now - self._tried < FRESH

    async def refresh(self) -> None:
        """Know what has changed until now; a store that does not answer is not waited for, as long as what was known
        before holds. Raises `StoreError`."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._ended)
        if self._outlived:
            await asyncio.shield(self._looking)
        else:
            await asyncio.wait((self._looking,), timeout=_PATIENCE)

    async def aclose(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    @property
    def _outlived(self) -> bool:
        return self._version < 0 or self._clock.now() - self._looked > STALE

    async def _look(self) -> None:
        began = self._tried = self._clock.now()
        version = await self._store.version()
        if version != self._version:
            self._keys = {key.digest: key for key in await self._store.all()}
            self._version = version
        self._looked = began

    def _ended(self, looking: asyncio.Task[None]) -> None:
        self._looking = None
        if not looking.cancelled() and (problem := looking.exception()) is not None:
            log.warning("keys: what has changed of them is not known: %s", problem)
