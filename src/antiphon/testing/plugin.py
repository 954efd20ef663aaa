"""The pytest plugin. Nothing of the server is imported before a test asks for it: most projects' tests never do."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from antiphon.testing.listening import LoopThread
    from antiphon.testing.server import ScriptedServer


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "antiphon(**settings): settings of the server that `antiphon_server` is")


@pytest.fixture(scope="session")
def _antiphon_thread() -> "Generator[LoopThread]":  # pyright: ignore[reportUnusedFunction] - found by its name
    from antiphon.testing.listening import LoopThread

    with LoopThread() as thread:
        yield thread


@pytest.fixture
def antiphon_server(request: pytest.FixtureRequest, _antiphon_thread: "LoopThread") -> "Generator[ScriptedServer]":
    """The Messages API on a port of its own, with replies that the test plans; new for each test.

    A test that planned no reply for a request fails when it ends.
    """
    from antiphon.testing.server import ScriptedServer

    marker: pytest.Mark | None = request.node.get_closest_marker("antiphon")
    settings: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    with ScriptedServer(thread=_antiphon_thread, **settings) as server:
        yield server
        server.check()


@pytest.fixture
def antiphon_base_url(antiphon_server: "ScriptedServer") -> str:
    """Where `antiphon_server` is: a client's `base_url`."""
    return antiphon_server.url


@pytest.fixture
def antiphon_api_key(antiphon_server: "ScriptedServer") -> str:
    """A client's `api_key` for it."""
    return antiphon_server.api_key


@pytest.fixture
def antiphon_env(antiphon_server: "ScriptedServer", monkeypatch: pytest.MonkeyPatch) -> "ScriptedServer":
    """`antiphon_server`, in the environment variables from which SDKs take where to ask, and the key."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", antiphon_server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", antiphon_server.api_key)
    for other in ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.delenv(other, raising=False)
    return antiphon_server
