"""Containers that are over are taken away, with all that lies in them."""

from pathlib import Path

from antiphon.config import SandboxSettings
from antiphon.ports.containers import StoredContainer
from antiphon.ports.sandbox import Sandboxes
from antiphon.ports.stores import StoreError
from antiphon.sandbox.choosing import choose
from antiphon.service.claims import Claim
from antiphon.service.containers import LIFETIME, Containers, Grounds
from antiphon.stores.containers import MemoryContainers
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy
from tests.web.code_app import LIMITS


async def test_an_expired_container_is_taken_away_and_others_stay(tmp_path: Path):
    driver, _ = await choose(SandboxSettings(driver="bubblewrap"), tmp_path, None)
    assert driver is not None
    clock, rows = FixedClock(), MemoryContainers()
    containers = Containers(Grounds(Sandboxes(driver, LIMITS), rows, None, "here", clock, CountingEntropy()))
    for id_, left in (("container_1", 0.0), ("container_2", 9.0)):
        await driver.open(id_, LIMITS)
        await rows.add(StoredContainer(id_, "mine", "here", clock.now() + left))
    await containers.tidy()
    assert [await driver.exists("container_1"), await driver.exists("container_2")] == [False, True]
    assert [await rows.find("mine", "container_1"), (await rows.find("mine", "container_2")) is None] == [None, False]
    await driver.aclose()


class Forgetful(MemoryContainers):
    """A store that is gone as soon as it is said to be."""

    gone = False

    async def keep(self, id_: str, machine: str, expires_at: float) -> bool:
        if self.gone:
            raise StoreError("the database does not answer")
        return await super().keep(id_, machine, expires_at)


async def test_a_reply_is_not_lost_where_the_store_is_gone_at_its_end(tmp_path: Path):
    driver, _ = await choose(SandboxSettings(driver="bubblewrap"), tmp_path, None)
    assert driver is not None
    clock, rows = FixedClock(), Forgetful()
    containers = Containers(Grounds(Sandboxes(driver, LIMITS), rows, None, "here", clock, CountingEntropy()))
    claim = Claim(containers, "mine", None, (), (), 0.0)
    assert await claim.told() is None
    await claim.enter()
    await claim.leave()
    before = await claim.told()
    rows.gone = True
    clock.time += LIFETIME / 2
    assert before is not None
    assert await claim.told() == before
    await driver.aclose()
