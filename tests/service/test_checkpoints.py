"""Containers that nobody uses are packed, and unpacked on whichever machine one is named again."""

import io
import tarfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from msgspec.structs import replace

from antiphon.config import SandboxSettings
from antiphon.errors import InvalidRequest
from antiphon.ports.containers import NOWHERE, StoredContainer
from antiphon.ports.sandbox import Command, SandboxDriver, Sandboxes, SandboxProblem
from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.sandbox.choosing import choose
from antiphon.service.checkpoints import Checkpoints
from antiphon.service.claims import Claim
from antiphon.service.containers import LIFETIME, Containers, Grounds
from antiphon.stores.containers import MemoryContainers
from antiphon.stores.objects import Objects
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy
from tests.request.requests import body, context, local
from tests.web.code_app import CODE, LIMITS

ID = "container_1"
DAY = 86_400.0
FILL = "mkdir -p d/e; echo kept > d/e/a; chmod 700 d/e/a; ln -s d/e/a link; ln -s /etc/passwd out; ln d/e/a twice; mkfifo p; echo shut > d/shut; chmod 0 d/shut"


@dataclass
class Machines:
    """Two machines over the same stores."""

    here: Containers
    there: Containers
    clock: FixedClock
    rows: MemoryContainers
    objects: Objects

    def driver(self, at: Containers) -> SandboxDriver:
        return at.grounds.sandboxes.driver

    async def begin(self, command: str = FILL) -> None:
        """A container of `here` in which this has run."""
        await self.rows.add(StoredContainer(ID, "mine", "here", self.clock.now() + LIFETIME))
        assert await self.runs(self.here, command) == ""

    async def pack(self) -> None:
        self.clock.time += LIFETIME + 1
        await self.here.tidy()

    async def runs(self, at: Containers, command: str) -> str:
        """What a command of a reply prints that names the container."""
        claim = Claim(at, "mine", ID, (), (), 0.0)
        sandbox = await claim.enter()
        try:
            done = await sandbox.run(Command(("sh", "-c", command), 20.0, 10_000))
        finally:
            await claim.leave()
        return (done.stdout + done.stderr).decode()

    async def packed(self) -> list[str]:
        return [key async for key in self.objects.keys("containers/")]


@asynccontextmanager
async def machines(folder: Path, most: int = 1_000_000) -> AsyncGenerator[Machines]:
    clock, rows, objects = FixedClock(), MemoryContainers(), Objects.open("memory://")
    checkpoints, made = Checkpoints(objects, 30 * DAY, most), list[Containers]()
    for name in ("here", "there"):
        driver, tried = await choose(SandboxSettings(driver="bubblewrap"), folder / name, None)
        assert driver is not None, tried
        box = Sandboxes(driver, LIMITS)
        made.append(Containers(Grounds(box, rows, None, name, clock, CountingEntropy(), checkpoints=checkpoints)))
    yield Machines(made[0], made[1], clock, rows, objects)
    for one in made:
        await one.grounds.sandboxes.driver.aclose()
    await objects.aclose()


@pytest.mark.promise("code-execution.restored")
async def test_a_container_goes_on_on_another_machine_with_its_files_as_they_were(tmp_path: Path):
    async with machines(tmp_path) as both:
        await both.begin()
        await both.pack()
        assert not await both.driver(both.here).exists(ID)
        assert await both.rows.find("mine", ID) == StoredContainer(ID, "mine", NOWHERE, both.clock.now() + 30 * DAY)
        both.clock.time += 29 * DAY
        looks = (
            "cat d/e/a link twice; readlink link out; stat -c %a d/e/a; test -p p && echo pipe; cat d/shut; ls /tmp"
        )
        said = await both.runs(both.there, looks)
        assert said == "kept\nkept\nkept\nd/e/a\n/etc/passwd\n700\npipe\nshut\n"
        row = await both.rows.find("mine", ID)
        assert row == StoredContainer(ID, "mine", "there", both.clock.now() + LIFETIME)
        assert await both.packed() == []
        assert (tmp_path / "there" / ID / "workspace" / "d" / "e" / "a").is_file()


@pytest.mark.promise("code-execution.restored", "code-execution.repl-anew")
async def test_that_there_was_a_python_is_known_behind_it_and_that_it_is_another_one(tmp_path: Path):
    async with machines(tmp_path) as both:
        await both.begin("echo -n before > /tmp/.python; echo -n x > /tmp/other")
        await both.pack()
        assert await both.runs(both.there, "cd /tmp; cat .python; ls") == "packed"


@pytest.mark.promise("code-execution.restored")
async def test_a_request_may_name_what_is_packed_until_that_expires(tmp_path: Path):
    async with machines(tmp_path) as both:
        await both.begin("echo hi > a")
        asked = parse_create(orjson.dumps(body(tools=[CODE], container=ID)), context())
        case = Case(asked, local(), replace(context(), tenant="mine"))
        await both.pack()
        for at in (both.here, both.there):
            claim = await at.claim(case, {})
            assert claim is not None
            # Nothing has run: it stays where it is.
            told = await claim.told()
            assert told is not None
            assert told["id"] == ID
        assert len(await both.packed()) == 1
        both.clock.time += 30 * DAY
        with pytest.raises(InvalidRequest, match="does not exist or has expired"):
            await both.there.claim(case, {})
        await both.there.tidy()
        assert await both.packed() == []
        assert await both.rows.find("mine", ID) is None


@pytest.mark.promise("code-execution.restored")
async def test_what_somebody_works_in_is_not_packed(tmp_path: Path):
    async with machines(tmp_path) as both:
        await both.begin("echo hi > a")
        claim = Claim(both.here, "mine", ID, (), (), 0.0)
        await claim.enter()
        await both.pack()
        assert await both.packed() == []
        await claim.leave()
        assert await both.runs(both.here, "cat a") == "hi\n"
        await both.here.tidy()
        assert await both.driver(both.here).exists(ID)
        assert await both.packed() == []


@pytest.mark.promise("code-execution.restored")
async def test_one_that_was_used_while_it_was_packed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with machines(tmp_path) as both:
        await both.begin("echo hi > a")
        keys = both.objects.put

        async def used(key: str, chunks: AsyncIterator[bytes]) -> int:
            size = await keys(key, chunks)
            assert await both.here.use(ID)
            return size

        monkeypatch.setattr(both.objects, "put", used)
        await both.pack()
        assert await both.packed() == []
        assert await both.runs(both.here, "cat a") == "hi\n"


@pytest.mark.promise("code-execution.restored-bounds")
async def test_one_that_is_too_large_when_it_is_packed_is_taken_away(tmp_path: Path):
    async with machines(tmp_path, most=10_000) as both:
        await both.begin("head -c 100000 /dev/urandom > a")
        await both.pack()
        assert await both.packed() == []
        assert await both.rows.find("mine", ID) is None
        assert not await both.driver(both.here).exists(ID)


def archive(*members: tuple[str, bytes, str]) -> bytes:
    """An archive of entries: name, type, where it leads or what it holds."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as made:
        for name, kind, value in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, value, len(value) if kind == tarfile.REGTYPE else 0
            made.addfile(info, io.BytesIO(value.encode()))
    return file.getvalue()


HOSTILE = {
    "a path that leads out": archive(("../../evil", tarfile.REGTYPE, "x")),
    "a link that leads out": archive(("d", tarfile.SYMTYPE, "/tmp/../.."), ("d/evil", tarfile.REGTYPE, "x")),
    "no archive": b"\x1f\x8b" + b"nothing",
    "one that breaks off": archive(("a", tarfile.REGTYPE, "x" * 50_000))[:-40],
}


@pytest.mark.promise("code-execution.restored-bounds")
@pytest.mark.parametrize("case", HOSTILE)
async def test_an_archive_leads_nowhere_but_into_its_own_sandbox(tmp_path: Path, case: str):
    async with machines(tmp_path) as both:
        await put(both, HOSTILE[case])
        sandbox = await both.driver(both.there).open(ID, LIMITS)
        checkpoints = both.there.grounds.checkpoints
        assert checkpoints is not None
        with pytest.raises(SandboxProblem, match="cannot be unpacked"):
            await checkpoints.load(ID, sandbox)
    outside = [path for path in found(tmp_path, "evil") if not path.is_relative_to(tmp_path / "there" / ID)]
    assert not outside
    assert not found(Path("/tmp"), "evil", deep=False)


@pytest.mark.promise("code-execution.restored-bounds")
async def test_what_is_no_file_of_the_workspace_is_left_out_of_it(tmp_path: Path):
    async with machines(tmp_path) as both:
        link, device = ("link", tarfile.LNKTYPE, "/etc/hostname"), ("device", tarfile.CHRTYPE, "")
        await put(both, archive(link, device, ("a", tarfile.REGTYPE, "x")))
        await both.rows.add(StoredContainer(ID, "mine", NOWHERE, both.clock.now() + DAY))
        assert await both.runs(both.there, "ls") == "a\n"


@pytest.mark.promise("code-execution.restored-bounds")
async def test_an_archive_that_blows_up_is_ended_by_the_limits_of_its_sandbox(tmp_path: Path):
    info = tarfile.TarInfo("zeros")
    info.size = 2 * LIMITS.disk
    packer = zlib.compressobj(1, wbits=31)
    bomb = packer.compress(info.tobuf())
    for _ in range(128):
        bomb += packer.compress(bytes(info.size // 128))
    bomb += packer.flush()
    assert len(bomb) < 2_000_000
    async with machines(tmp_path) as both:
        await put(both, bomb)
        await both.rows.add(StoredContainer(ID, "mine", NOWHERE, both.clock.now() + DAY))
        with pytest.raises(Exception, match=r"(?s)cannot be unpacked: .*(too large|out of disk)"):
            await both.runs(both.there, "true")
        assert not await both.driver(both.there).exists(ID)
        assert await both.packed()


def found(folder: Path, name: str, *, deep: bool = True) -> list[Path]:
    return list(folder.rglob(name) if deep else folder.glob(name))


async def put(both: Machines, data: bytes) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield data

    await both.objects.put(f"containers/{ID[-2:]}/{ID}", once())
