"""A server for the tests of applications, as its own tests take it: without the plugin."""

from collections.abc import Generator

import pytest

from antiphon.testing import ScriptedServer
from antiphon.testing.listening import LoopThread


@pytest.fixture(scope="module")
def thread() -> Generator[LoopThread]:
    """Where the servers of a module run."""
    with LoopThread() as thread:
        yield thread


@pytest.fixture
def server(thread: LoopThread) -> Generator[ScriptedServer]:
    """A server."""
    with ScriptedServer(thread=thread) as server:
        yield server
