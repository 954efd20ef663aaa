"""What all tests share: how hard property tests work, and which cores a process of theirs has."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.stores.databases import database_url, postgres

__all__ = ["database_url", "postgres"]  # fixtures for every test

# Time limits per example would test the machine, which is shared and noisy, instead of the code.
settings.register_profile("antiphon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("antiphon")


def pytest_configure(config: pytest.Config) -> None:
    """Where several processes run the tests, each keeps to cores of its own: an engine that has a thread for every
    core waits at every layer for those that another engine holds."""
    worker: dict[str, object] | None = getattr(config, "workerinput", None)
    if worker is None or not hasattr(os, "sched_setaffinity"):
        return
    number, count = int(str(worker["workerid"]).removeprefix("gw")), int(str(worker["workercount"]))
    if cores := sorted(os.sched_getaffinity(0))[number::count]:
        os.sched_setaffinity(0, cores)
