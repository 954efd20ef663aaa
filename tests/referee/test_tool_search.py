"""The official SDKs read a reply that searched among deferred tools, and send it back."""

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
    with live_server("--model", f"script:{HERE / 'tool_search.toml'}") as url:
        yield url


@pytest.mark.promise("tool-search.sdk")
@pytest.mark.parametrize("line", INTERPRETERS)
def test_a_tool_is_found_called_and_answered(script: str, line: str) -> None:
    done = json.loads(run_client([INTERPRETERS[line], HERE / "tool_search_scenarios.py"], script))
    kinds = ["text", "server_tool_use", "tool_search_tool_result", "tool_use"]
    assert (done["streamed"], done["whole"]) == (kinds, kinds)
    assert done["found"][0] == "get_weather"
    assert done["called"] == ["get_weather", {"city": "Rome"}]
    assert done["answer"] == "Rome is sunny."
