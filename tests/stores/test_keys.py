"""Keys and workspaces as rows, in both databases, and what a process knows of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from antiphon.ports.keys import KeyStore, StoredKey
from antiphon.ports.stores import StoreUnavailable
from antiphon.service.keys import FRESH, STALE, KeyProblem, KeyRing, Keys, Wanted, digest_of
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.keys import SqlKeys
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SqlKeys]:
    database = await Database.open(database_url)
    yield SqlKeys(database)
    await database.aclose()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def keys(store: SqlKeys, clock: FixedClock) -> Keys:
    return Keys(store, clock, CountingEntropy())


@pytest.mark.promise("auth.made-keys")
async def test_of_a_key_its_digest_is_kept_and_not_the_key(keys: Keys, store: SqlKeys) -> None:
    assert await store.version() == 0
    made, secret = await keys.add(Wanted("ci", models=("claude-haiku-*",), lasting=60.0))
    (found,) = await store.all()
    assert found == made
    assert (found.digest, found.models) == (digest_of(secret), ("claude-haiku-*",))
    assert secret.startswith("sk-ant-api03-")
    assert secret not in repr(found)
    assert found.hint == f"{secret[:17]}...{secret[-4:]}"
    assert await store.version() == 1


async def test_keys_of_one_workspace_share_its_id_and_a_workspace_may_be_named_by_it(keys: Keys) -> None:
    one, _ = await keys.add(Wanted("one", "research"))
    two, _ = await keys.add(Wanted("two", one.workspace))
    other, _ = await keys.add(Wanted("other"))
    assert (two.workspace, two.workspace_name) == (one.workspace, "research")
    assert other.workspace != one.workspace
    # That of a key in the settings, whose data are to be gone on with.
    settled, _ = await keys.add(Wanted("settled", "wrkspc_01abc"))
    assert settled.workspace == "wrkspc_01abc"


async def test_two_who_make_a_workspace_at_once_make_one(store: SqlKeys) -> None:
    made = await asyncio.gather(*(store.workspace("new", f"wrkspc_{n}", 1) for n in range(4)))
    assert len(set(made)) == 1


async def test_a_key_in_the_place_of_another_has_its_rights_and_the_other_ends(
    keys: Keys, store: SqlKeys, clock: FixedClock
) -> None:
    old, _ = await keys.add(Wanted("ci", "research", models=("mine",)))
    new, secret = await keys.rotate("ci", 60.0)
    assert (new.workspace, new.models, new.name) == (old.workspace, old.models, "ci")
    ring = KeyRing(store, clock)
    await ring.refresh()
    assert ring.find(secret) == new
    by_id = {key.id: key for key in await store.all()}
    now = round(clock.now() * 1_000_000)
    assert (by_id[old.id].good(now), by_id[old.id].good(now + 60_000_000)) == (True, False)
    assert by_id[new.id].good(now + 60_000_000)


async def test_what_cannot_be_done_is_said(keys: Keys) -> None:
    await keys.add(Wanted("ci"))
    with pytest.raises(KeyProblem, match="there is a key named ci already"):
        await keys.add(Wanted("ci"))
    await keys.revoke("ci")
    with pytest.raises(KeyProblem, match="no key that is good has the name or id ci"):
        await keys.revoke("ci")
    await keys.add(Wanted("ci"))


class Gone:
    """A store that answers when it is let."""

    def __init__(self, store: KeyStore) -> None:
        self.store = store
        self.gone = False

    async def version(self) -> int:
        if self.gone:
            raise StoreUnavailable("gone")
        return await self.store.version()

    async def all(self) -> Sequence[StoredKey]:
        return await self.store.all()

    async def workspace(self, wanted: str, new_id: str, now: int) -> tuple[str, str]:
        return await self.store.workspace(wanted, new_id, now)

    async def add(self, key: StoredKey, replaces: str | None = None, ends_at: int = 0) -> None:
        await self.store.add(key, replaces, ends_at)

    async def revoke(self, id_: str, now: int) -> bool:
        return await self.store.revoke(id_, now)


@pytest.mark.promise("auth.store-gone")
@pytest.mark.promise("auth.first-key-closes")
async def test_what_is_known_holds_for_a_while_where_the_store_is_gone(
    keys: Keys, store: SqlKeys, clock: FixedClock
) -> None:
    _, secret = await keys.add(Wanted("ci"))
    gone = Gone(store)
    gone.gone = True
    ring = KeyRing(gone, clock)
    with pytest.raises(StoreUnavailable):
        await ring.refresh()
    gone.gone = False
    await ring.refresh()
    assert not ring.stale
    gone.gone = True
    clock.time += STALE
    assert ring.stale
    await ring.refresh()
    assert ring.find(secret) is not None
    clock.time += FRESH
    with pytest.raises(StoreUnavailable):
        await ring.refresh()
    assert ring.stale
