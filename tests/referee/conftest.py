"""One live server for all referees."""

import os
from collections.abc import Iterator

import pytest

from tests.referee.live import Live, live_process

GREEDY = """
[models.smollm2-135m-instruct]
source = "builtin"
[models.smollm2-135m-instruct.sampling]
temperature = 0.0
"""

BEHIND = """
[models.smollm2-135m-instruct]
url = "{url}"
tokenizer = "{tokenizer}"
[models.smollm2-135m-instruct.sampling]
temperature = 0.0
"""
"""The same model in an engine that runs already: `make test-vllm`."""


@pytest.fixture(scope="session")
def default_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The default model's server. It samples greedily where a request is silent, so that replies can be compared."""
    config = tmp_path_factory.mktemp("referee") / "antiphon.toml"
    url = os.environ.get("TEST_ENGINE_URL")
    tokenizer = os.environ.get("TEST_ENGINE_TOKENIZER", "")
    config.write_text(GREEDY if url is None else BEHIND.format(url=url, tokenizer=tokenizer))
    with live_process("--config", str(config)) as live:
        yield live


@pytest.fixture(scope="session")
def server(default_server: Live) -> str:
    """Where it answers."""
    return default_server.url
