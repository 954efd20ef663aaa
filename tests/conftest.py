"""What all tests share: how hard property tests work, which cores a process of theirs has, and where models lie."""

import fcntl
import gc
import os
import re
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.stores.databases import database_url, postgres

__all__ = ["database_url", "postgres"]  # fixtures for every test

# Time limits per example would test the machine, which is shared and noisy, instead of the code.
settings.register_profile("antiphon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("antiphon")


_DATA = tempfile.mkdtemp(prefix="antiphon-data-")


# What is collected are half a million objects that live as long as the process: nothing of them is garbage.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from here on, and not among them."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Take away what servers have kept."""
    shutil.rmtree(_DATA, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Give each process of the tests cores of its own, and all of them one place for models that are written anew.

    An engine that has a thread for every core waits at every layer for those that another engine holds. What a test
    makes the server write is not for the user's own cache, and 290 MB that are the same for all and for every run.
    """
    os.environ["HF_ASSETS_CACHE"] = str(config.rootpath / "build" / "tests")
    # A server that is told nothing else keeps its files in its user's home.
    os.environ["XDG_DATA_HOME"] = _DATA
    worker: dict[str, object] | None = getattr(config, "workerinput", None)
    if worker is None or not hasattr(os, "sched_setaffinity"):
        return
    number, count = int(str(worker["workerid"]).removeprefix("gw")), int(str(worker["workercount"]))
    if cores := sorted(os.sched_getaffinity(0))[number::count]:
        os.sched_setaffinity(0, cores)


_FLOODS = re.compile(r"tests/sandbox/test_(floods|attempts)\.py")
_SANDBOXES = re.compile(
    r"tests/sandbox/|test_sandbox\.py|test_containers\.py|test_code_execution\.py|test_python\.py"
    r"|test_programmatic_calling\.py|test_skills|test_client_pages\.py"
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let no fork bomb go off while another process of the tests runs a sandbox.

    Where there are no cgroups, the system counts processes by user, and all sandboxes of a user share what there may be.
    """
    place = item.nodeid.partition("::")[0]
    if not _SANDBOXES.search(place):
        return (yield)
    with Path(tempfile.gettempdir(), "antiphon-tests-sandboxes").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if _FLOODS.search(place) else fcntl.LOCK_SH)
        return (yield)
