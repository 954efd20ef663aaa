"""What takes more than its share is ended, and neither the server nor another sandbox is hurt."""

import asyncio
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from antiphon.ports.sandbox import Command, Limits, SandboxDriver
from tests.sandbox.commands import chunks, mounts, python, shell
from tests.sandbox.conftest import LIMITS, bubblewrap

WRITE = "for i in $(seq 100); do head -c 4000000 /dev/zero > $i; done; sleep 10"
UNLINKED = """
held = []
import os
for i in range(20):
    held.append(open('x', 'wb')); os.unlink('x'); held[-1].write(bytes(4000000)); held[-1].flush()
import time; time.sleep(10)
"""
MAPPED = """
import mmap, os
held = []
for i in range(20):
    f = open('x', 'w+b'); f.truncate(4000000); held.append(mmap.mmap(f.fileno(), 0)); os.unlink('x'); f.close()
    held[-1].write(bytes(4000000))
import time; time.sleep(10)
"""
NESTED = """
import os, time
while True:
    os.mkdir('d'); os.chdir('d')
"""
SHUT = "mkdir shut; for i in $(seq 10); do head -c 4000000 /dev/zero > shut/$i; done; chmod 0 shut; sleep 10"


@pytest.mark.promise("sandbox.disk")
@pytest.mark.parametrize(
    "command",
    [
        shell(WRITE),
        python(UNLINKED),
        python(MAPPED),
        shell(SHUT),
        shell("i=0; while :; do i=$((i+1)); : > $i; done"),
        shell("cd /tmp; " + WRITE),
        python(NESTED),
    ],
    ids=["bytes", "files without a name", "mapped files", "a shut folder", "files", "in /tmp", "nested folders"],
)
async def test_a_flood_on_the_disk_is_ended_and_can_be_tidied_up(driver: SandboxDriver, command: Command):
    sandbox = await driver.open("one", LIMITS)
    assert (await sandbox.run(command)).killed == "disk"
    await sandbox.run(shell("chmod -R u+rwX . /tmp; rm -rf /workspace/* /tmp/*"))
    assert (await sandbox.run(shell("ls -A; echo $(ls -A /tmp)"))).stdout == b"\n"


@pytest.mark.promise("sandbox.disk")
async def test_too_much_that_was_written_at_the_very_end_is_told_of(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    said = await sandbox.run(shell("head -c 13000000 /dev/zero > a; cp a b; exit 0"))
    assert said.killed == "disk"


async def test_no_more_is_put_than_there_is_room(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.put("a", chunks(bytes(15 << 20)))
    with pytest.raises(Exception, match="room") as problem:
        await sandbox.put("b", chunks(bytes(15 << 20)))
    assert getattr(problem.value, "code", "") == "full"


@pytest.mark.promise("sandbox.memory")
async def test_memory_that_processes_take_together_ends_them(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    take = "python3 -c 'a = bytearray(100 << 20); import time; time.sleep(10)' &"
    assert (await sandbox.run(shell(f"{take} {take} {take} wait"))).killed == "memory"


async def test_one_process_that_wants_too_much_is_told_so(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    assert b"MemoryError" in (await sandbox.run(python("bytearray(1 << 30)"))).stderr


@pytest.mark.promise("sandbox.processes")
@pytest.mark.parametrize("script", ["while 1: os.fork()", "while 1: os.fork() or os.setsid()"])
async def test_a_fork_bomb_ends_with_its_time_and_hurts_nobody(driver: SandboxDriver, script: str):
    sandbox, other = await driver.open("one", LIMITS), await driver.open("other", LIMITS)
    bomb = f"import os\ntry:\n {script}\nexcept OSError:\n import time; time.sleep(1000)"
    burning = asyncio.ensure_future(sandbox.run(python(bomb, 1.0)))
    assert (await other.run(shell("echo fine"))).stdout == b"fine\n"
    assert (await burning).killed in ("time", "memory")
    assert (await sandbox.run(shell("ls /proc | grep -c '^[0-9]'"))).stdout.strip() in (b"3", b"4", b"5")


async def test_children_that_nobody_waits_for_are_cleared_away(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    orphans = "import os, time\nfor _ in range(60):\n pid = os.fork()\n if not pid:\n  os.fork() and os._exit(0)\n  os._exit(0)\n os.waitpid(pid, 0)\nprint('all')"
    assert (await sandbox.run(python(orphans))).stdout == b"all\n"


async def test_a_process_that_lives_on_is_watched_too(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    spoken = await sandbox.start(shell(WRITE))
    assert (await spoken.finished()).killed == "disk"


async def test_an_archive_that_leads_outside_does_not_write_there(driver: SandboxDriver, tmp_path: Path):
    sandbox = await driver.open("one", LIMITS)
    packed, target = io.BytesIO(), tmp_path / "written"
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in (str(target), f"../../../../../..{target}"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("link/written"), io.BytesIO())
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(f"../../../../../..{target}", "x")
    await sandbox.put("a.tar", chunks(packed.getvalue()))
    await sandbox.put("a.zip", chunks(zipped.getvalue()))
    await sandbox.run(shell("tar -xPf a.tar; python3 -m zipfile -e a.zip ."))
    assert not target.exists()
    await driver.discard("one")


async def test_nothing_of_what_was_tried_is_left_on_the_machine(tmp_path: Path):
    files, mounted = len(os.listdir("/proc/self/fd")), mounts()
    driver = bubblewrap(tmp_path / "sandboxes")
    tight = Limits(LIMITS.memory, LIMITS.processes, 1 << 20, 50, 1 << 20)
    for number in range(3):
        sandbox = await driver.open(f"one_{number}", tight)
        await sandbox.run(shell("sleep 1000", 0.05))
        await sandbox.run(shell("exit 1"))
        await driver.discard(f"one_{number}")
    await driver.aclose()
    assert os.listdir(tmp_path / "sandboxes") == [".system"]
    assert len(os.listdir("/proc/self/fd")) <= files + 1
    assert mounts() == mounted
