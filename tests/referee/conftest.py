"""One live server for all referees."""

from collections.abc import Iterator

import pytest

from tests.referee.live import Live, live_process

GREEDY = """
[models.smollm2-135m-instruct]
source = "builtin"
[models.smollm2-135m-instruct.sampling]
temperature = 0.0
"""


@pytest.fixture(scope="session")
def default_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The default model's server. It samples greedily where a request is silent, so that replies can be compared."""
    config = tmp_path_factory.mktemp("referee") / "antiphon.toml"
    config.write_text(GREEDY)
    with live_process("--config", str(config)) as live:
        yield live


@pytest.fixture(scope="session")
def server(default_server: Live) -> str:
    """Where it answers."""
    return default_server.url
