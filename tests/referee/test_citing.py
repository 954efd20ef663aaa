"""The official SDKs read citations of a request's documents and search results, and send them back."""

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
    with live_server("--model", f"script:{HERE / 'citing.toml'}") as url:
        yield url


@pytest.mark.promise("citations.sdk")
@pytest.mark.parametrize("line", INTERPRETERS)
def test_a_stream_and_a_whole_reply_have_the_same_citations(script: str, line: str) -> None:
    done = json.loads(run_client([INTERPRETERS[line], HERE / "citing_scenarios.py"], script))
    assert done["streamed"] == done["whole"] == done["last"]
    assert [text for text, _ in done["whole"]] == ["Well: ", "cats purr", " and ", "dogs bark", "."]
    assert done["heard"] == ["Cats purr. ", "Dogs bark. ", "Dogs are loud."]
    both = done["whole"][3][1]
    assert [one["type"] for one in both] == ["char_location", "search_result_location"]
    assert (both[0]["document_title"], both[1]["source"]) == ("Sounds", "kb/1")
