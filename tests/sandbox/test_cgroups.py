"""Where control groups are made, on a machine that is only drawn."""

from pathlib import Path

import pytest

from antiphon.sandbox.bubblewrap.cgroups import Group, Groups
from tests.sandbox.conftest import LIMITS


def test_nothing_is_made_where_no_control_group_is(tmp_path: Path):
    assert Groups.find("0::/service\n", f"cgroup2 {tmp_path} cgroup2 rw 0 0\n") is None
    assert Groups.find("4:memory:/a\n8:pids:/\n", f"cgroup {tmp_path} cgroup rw,memory 0 0\n") is None
    assert Groups.find("", "") is None
    assert list(tmp_path.iterdir()) == []


def test_the_second_version_bounds_memory_without_swap_and_ends_all_at_once(tmp_path: Path):
    group, folder = _drawn(
        tmp_path, ("cgroup.procs", "memory.max", "memory.swap.max", "memory.oom.group", "pids.max")
    )
    group.bound(LIMITS)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "cgroup.procs": "", "memory.max": str(LIMITS.memory), "memory.swap.max": "0", "memory.oom.group": "1",
        "pids.max": str(LIMITS.processes),
    }  # fmt: skip
    group.take(7)
    assert (folder / "cgroup.procs").read_text() == "7"


def test_the_first_version_bounds_memory_with_swap(tmp_path: Path):
    names = ("cgroup.procs", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "pids.max")
    group, folder = _drawn(tmp_path, names)
    group.bound(LIMITS)
    limits = (folder / "memory.limit_in_bytes", folder / "memory.memsw.limit_in_bytes")
    assert [path.read_text() for path in limits] == [str(LIMITS.memory)] * 2


@pytest.mark.parametrize(
    ("name", "said", "killed"),
    [
        ("memory.events", "low 0\nmax 9\noom 1\noom_kill 2\noom_group_kill 1\n", True),
        ("memory.events", "low 0\nmax 9\noom 0\noom_kill 0\n", False),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", True),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", False),
    ],
)
def test_the_kernel_says_whether_it_has_killed_for_memory(tmp_path: Path, name: str, said: str, killed: bool):
    (tmp_path / name).write_text(said)
    assert Group((tmp_path,)).out_of_memory is killed


def _drawn(above: Path, names: tuple[str, ...]) -> tuple[Group, Path]:
    folder = above / "antiphon-1"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    return Group((folder,)), folder
