"""The official SDKs' memory helper: what one conversation wrote, the next one reads, also where results are cleared."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.referee.live import live_server, run_client
from tests.referee.test_python_sdks import INTERPRETERS

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def script() -> Iterator[str]:
    """A server whose model says what the script says; everything else is real."""
    with live_server("--model", f"script:{HERE / 'memory.toml'}") as url:
        yield url


@pytest.mark.promise("memory.lasts")
@pytest.mark.parametrize("line", INTERPRETERS)
def test_a_second_conversation_recalls_what_the_first_wrote(script: str, line: str) -> None:
    done = json.loads(run_client([INTERPRETERS[line], HERE / "memory_scenarios.py"], script))
    assert done == {
        "first": {
            "commands": ["view", "create", "view"],
            "cleared": 1,
            "text": "I will remember that.",
            "stop": "end_turn",
        },
        "second": {
            "commands": ["view", "view"],
            "cleared": 0,
            "text": "Your cat is called Tibbles.",
            "stop": "end_turn",
        },
    }
