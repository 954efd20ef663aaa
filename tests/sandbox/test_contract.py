"""What every driver of the port keeps to."""

import asyncio
import os
from pathlib import Path

import pytest

from antiphon.ports.sandbox import OUTPUT, Command, Entry, Mount, SandboxDriver, SandboxProblem
from tests.sandbox.commands import chunks, goes_on, python, read, shell
from tests.sandbox.conftest import LIMITS, bubblewrap


@pytest.mark.promise("sandbox.commands")
async def test_a_command_is_run_to_its_end_and_told_of(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    said = await sandbox.run(
        Command(("/bin/sh", "-c", "cat; echo $WORD >&2; pwd; exit 3"), 20, 1000, b"in ", {"WORD": "out"})
    )
    assert (said.return_code, said.stdout, said.stderr) == (3, b"in /workspace\n", b"out\n")
    assert (said.killed, said.cut) == (None, False)


async def test_a_command_that_a_signal_ends_has_its_number(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    assert (await sandbox.run(shell("kill -TERM $$"))).return_code == 128 + 15


async def test_a_program_that_is_not_there_is_no_error_of_the_sandbox(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    assert (await sandbox.run(Command(("nothing",), 20, 1000))).return_code == 127


@pytest.mark.promise("sandbox.time")
async def test_a_command_past_its_time_is_killed_with_all_that_it_started(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    said = await sandbox.run(shell("trap '' TERM HUP; (setsid sleep 1000 &) ; echo begun; sleep 1000", 0.3))
    assert (said.killed, said.return_code, said.stdout) == ("time", 137, b"begun\n")


@pytest.mark.promise("sandbox.ends")
async def test_what_a_command_leaves_running_ends_with_it(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.run(shell("setsid sh -c 'sleep 0.3; touch late' & echo done"))
    assert (await sandbox.run(shell("sleep 0.6; ls"))).stdout == b""


@pytest.mark.promise("sandbox.output")
async def test_output_beyond_the_limit_is_read_and_dropped(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    said = await sandbox.run(shell("head -c 3000000 /dev/zero; echo all >&2", output=1000))
    assert (len(said.stdout), said.stderr, said.cut, said.return_code) == (1000, b"all\n", True, 0)


async def test_cancelling_a_command_kills_it(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.run(shell("mkfifo begun"))
    running = asyncio.ensure_future(sandbox.run(shell("touch here; sleep 0.4; touch late")))
    await goes_on(running, lambda: sandbox.entries("."))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await sandbox.run(shell("sleep 0.6; ls"))).stdout == b"begun\nhere\n"


@pytest.mark.promise("sandbox.workspaces")
async def test_a_workspace_is_found_again_by_its_id_even_by_another_start(driver: SandboxDriver, tmp_path: Path):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.run(shell("echo kept > file; echo kept > /tmp/file"))
    await sandbox.rest()
    await driver.aclose()
    again = bubblewrap(tmp_path / "sandboxes")
    assert await again.exists("one")
    assert not await again.exists("other")
    sandbox = await again.open("one", LIMITS)
    assert (await sandbox.run(shell("cat file /tmp/file"))).stdout == b"kept\nkept\n"


@pytest.mark.promise("sandbox.apart")
async def test_sandboxes_see_nothing_of_one_another(driver: SandboxDriver):
    one, other = await driver.open("one", LIMITS), await driver.open("other", LIMITS)
    await one.put("mine", chunks(b"mine"))
    running = await one.start(shell("echo x > /dev/shm/mine; echo; sleep 1000"))
    await running.receive()
    said = await other.run(shell("ls /workspace /dev/shm /tmp; ls /proc | grep -c '^[0-9]'"))
    await running.aclose()
    assert b"mine" not in said.stdout
    assert int(said.stdout.split()[-1]) < 8


async def test_discarding_kills_and_takes_the_workspace_away(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    running = await sandbox.start(shell("mkdir -p a/b; touch a/b/c; chmod 0 a; echo; sleep 1000"))
    await running.receive()
    await driver.discard("one")
    assert (await running.finished()).return_code == 137
    assert not await driver.exists("one")
    await driver.discard("one")


@pytest.mark.parametrize("id_", ["", "..", "a/b", "a.b", "a" * 200])
async def test_an_id_is_a_name_and_no_path(driver: SandboxDriver, id_: str):
    assert not id_ or not await driver.exists(id_) if id_ not in ("..", "a/b") else True
    with pytest.raises(SandboxProblem):
        await driver.open(id_, LIMITS)


@pytest.mark.promise("sandbox.files")
async def test_files_are_put_listed_and_got(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.put("a/b.txt", chunks(b"one ", b"two"))
    await sandbox.put("/tmp/c", chunks())
    said = await sandbox.run(shell("cat a/b.txt; echo more >> a/b.txt; mkdir a/d; ln -s b.txt a/link; mkfifo a/pipe"))
    assert said.stdout == b"one two"
    assert await sandbox.entries("a") == [Entry("b.txt", 12)]
    assert await sandbox.entries("/tmp") == [Entry("c", 0)]
    assert await sandbox.entries("nothing") in ([], ())
    assert await read(sandbox, "/workspace/a/b.txt") == b"one twomore\n"


async def test_a_file_is_replaced_whole_or_not_at_all(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.put("file", chunks(b"old"))
    with pytest.raises(SandboxProblem) as problem:
        await sandbox.put("file", chunks(bytes(LIMITS.file_size), b"x"))
    assert problem.value.code == "too_large"
    assert await read(sandbox, "file") == b"old"
    await sandbox.put("file", chunks(b"new"))
    assert await sandbox.entries(".") == [Entry("file", 3)]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("nothing", "not_found"),
        ("folder", "not_a_file"),
        ("link", "not_a_file"),
        ("up/file", "not_a_file"),
        ("pipe", "not_a_file"),
        ("/etc/passwd", "not_found"),
        ("../../etc/passwd", "not_found"),
        ("/proc/self/environ", "not_found"),
        ("file\0", "not_found"),
        ("x" * 5000, "not_found"),
    ],
)
async def test_what_is_no_regular_file_is_not_read(driver: SandboxDriver, path: str, code: str):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.run(
        shell("mkdir folder; echo x > folder/file; ln -s /etc/passwd link; ln -s folder up; mkfifo pipe")
    )
    with pytest.raises(SandboxProblem) as problem:
        await read(sandbox, path)
    assert problem.value.code == code


async def test_a_file_that_is_too_large_is_not_read(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.put("file", chunks(b"12345"))
    assert await read(sandbox, "file", 5) == b"12345"
    with pytest.raises(SandboxProblem, match="file") as problem:
        await read(sandbox, "file", 4)
    assert problem.value.code == "too_large"


@pytest.mark.promise("sandbox.links")
async def test_a_link_in_the_workspace_leads_the_server_nowhere(driver: SandboxDriver, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("canary")
    sandbox = await driver.open("one", LIMITS)
    await sandbox.run(shell(f"ln -s {outside} out; ln -s {outside}/file file; ln -s {outside} /tmp/outputs"))
    with pytest.raises(SandboxProblem):
        await read(sandbox, "out/file")
    with pytest.raises(SandboxProblem):
        await sandbox.put("out/new", chunks(b"x"))
    assert await sandbox.entries("out") in ([], ())
    await sandbox.put("file", chunks(b"x"))
    said = await sandbox.run(shell("echo made > $OUTPUT_DIR/made; cat file", outputs=True))
    assert said.stdout == b"x"
    await driver.discard("one")
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("file", "canary")]


@pytest.mark.promise("sandbox.output-dir")
async def test_each_command_that_asks_finds_an_empty_folder_for_what_it_makes(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    await sandbox.run(shell("echo one > $OUTPUT_DIR/one; mkdir $OUTPUT_DIR/in; chmod 0 $OUTPUT_DIR/in", outputs=True))
    assert await sandbox.entries(OUTPUT) == [Entry("one", 4)]
    await sandbox.run(shell("echo two > $OUTPUT_DIR/two", outputs=True))
    assert await read(sandbox, f"{OUTPUT}/two") == b"two\n"
    assert (await sandbox.run(shell("echo ${OUTPUT_DIR-none}; ls /tmp/outputs"))).stdout == b"none\ntwo\n"


@pytest.mark.promise("sandbox.interactive")
async def test_a_process_is_spoken_to_while_it_lives(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    spoken = await sandbox.start(python("while True: print(eval(input()), flush=True)"))
    for question, answer in ((b"6 * 7\n", b"42\n"), (b"'a' + 'b'\n", b"ab\n")):
        await spoken.send(question)
        said = b""
        while not said.endswith(b"\n"):
            said += await spoken.receive()
        assert said == answer
    await spoken.send(b"exit(4)\n")
    assert await spoken.receive() == b""
    assert (await spoken.finished()).return_code == 4
    with pytest.raises(SandboxProblem) as problem:
        await spoken.send(b"1\n" * 100_000)
    assert problem.value.code == "gone"


async def test_resting_ends_processes_and_keeps_files(driver: SandboxDriver):
    sandbox = await driver.open("one", LIMITS)
    spoken = await sandbox.start(shell("touch file; echo; sleep 1000"))
    await spoken.receive()
    await sandbox.rest()
    assert await spoken.receive() == b""
    assert (await spoken.finished()).return_code == 137
    await spoken.aclose()
    assert (await sandbox.run(shell("ls"))).stdout == b"file\n"


async def test_a_folder_of_the_machine_is_seen_and_cannot_be_changed(driver: SandboxDriver, tmp_path: Path):
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "file").write_text("seen")
    sandbox = await driver.open("one", LIMITS, [Mount(str(tmp_path / "shown"), "/skills/mine")])
    said = await sandbox.run(shell("cat /skills/mine/file; touch /skills/mine/new || ls -A /skills"))
    assert said.stdout == b"seenmine\n"
    assert await read(sandbox, "/skills/mine/file") == b"seen"
    for path in ("/skills/mine/../../etc/passwd", "/skills/mine", "/skills/other/file"):
        with pytest.raises(SandboxProblem):
            await read(sandbox, path)
    with pytest.raises(SandboxProblem):
        await sandbox.put("/skills/mine/file", chunks(b"changed"))
    assert os.listdir(tmp_path / "shown") == ["file"]


async def test_the_driver_works_here(driver: SandboxDriver):
    assert await driver.probe() is None
