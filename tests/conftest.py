"""What all tests share: how hard property tests work, which cores a process of theirs has, and where models lie."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Time limits per example would test the machine, which is shared and noisy, instead of the code.
settings.register_profile("antiphon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("antiphon")


def pytest_configure(config: pytest.Config) -> None:
    """Give each process of the tests cores of its own, and all of them one place for models that are written anew.

    An engine that has a thread for every core waits at every layer for those that another engine holds. What a test
    makes the server write is not for the user's own cache, and 290 MB that are the same for all and for every run.
    """
    os.environ["HF_ASSETS_CACHE"] = str(config.rootpath / "build" / "tests")
    worker: dict[str, object] | None = getattr(config, "workerinput", None)
    if worker is None or not hasattr(os, "sched_setaffinity"):
        return
    number, count = int(str(worker["workerid"]).removeprefix("gw")), int(str(worker["workercount"]))
    if cores := sorted(os.sched_getaffinity(0))[number::count]:
        os.sched_setaffinity(0, cores)
