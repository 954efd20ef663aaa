"""The sandbox that is there, and what tests of it need."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from antiphon.ports.sandbox import Limits, SandboxDriver
from antiphon.sandbox.bubblewrap.driver import BubblewrapDriver
from antiphon.sandbox.python import python_for

LIMITS = Limits(memory=256 << 20, processes=64, disk=24 << 20, files=1500, file_size=16 << 20)


def bubblewrap(folder: Path) -> BubblewrapDriver:
    """The driver, where its program is; where it is not, the tests say what to install."""
    if shutil.which("bwrap") is None:
        pytest.fail("bubblewrap is missing: apt-get install bubblewrap", pytrace=False)
    return BubblewrapDriver(folder, python_for(None))


@pytest.fixture
async def driver(tmp_path: Path) -> AsyncGenerator[SandboxDriver]:
    made = bubblewrap(tmp_path / "sandboxes")
    yield made
    await made.aclose()
