"""The official SDKs make, poll, page, cancel, fetch and delete batches, at one server and at two over one database."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.referee.live import live_server, run_client
from tests.referee.node import node
from tests.stores.databases import postgres_server

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MODEL = ("--model", f"script:{HERE / 'batches.toml'}")
SDK0 = ROOT / ".venv-sdk0" / "bin" / "python"
PROGRAMS: dict[str, list[str | Path]] = {
    "python": [sys.executable, HERE / "batch_scenarios.py"],
    "python-0": [SDK0, HERE / "batch_scenarios.py"],
    "typescript": [node(), HERE / "ts" / "batches.mjs"],
}
NONE = {"succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
Results = dict[str, Any]


def run(language: str, *fronts: str) -> Results:
    """Every scenario of an SDK against these servers in turn."""
    return json.loads(run_client(PROGRAMS[language], fronts[0], extra={"FRONTS": ",".join(fronts)}))


def result(results: Results, name: str) -> Any:
    value = results[name]
    assert "raised" not in str(value), value
    return value


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a SQLite file."""
    with live_server(*MODEL, "--data", str(tmp_path_factory.mktemp("kept"))) as url:
        yield url


@pytest.fixture(scope="module")
def fronts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two servers with one PostgreSQL."""
    with ExitStack() as running:
        database = running.enter_context(postgres_server()).url()
        at = (*MODEL, "--data", str(tmp_path_factory.mktemp("kept")), "--config")
        config = tmp_path_factory.mktemp("config") / "antiphon.toml"
        config.write_text(f'[stores]\ndatabase = "{database}"\n')
        one = running.enter_context(live_server(*at, str(config)))
        yield one, running.enter_context(live_server(*at, str(config)))


def check(results: Results) -> None:
    """What each scenario has to come to, in whatever language."""
    trip = result(results, "round_trip")
    assert trip["created"] == ["message_batch", "in_progress", {"processing": 3, **NONE}, None]
    assert trip["keys"] == [
        *("archived_at", "cancel_initiated_at", "created_at", "ended_at", "expires_at", "id", "processing_status"),
        *("request_counts", "results_url", "type"),
    ]
    assert trip["counts"] == {"processing": 0, **NONE, "succeeded": 2, "errored": 1}
    assert trip["url"] is True
    assert trip["ids"] == ["bad", "one", "two"]
    assert trip["types"] == {"one": "succeeded", "two": "succeeded", "bad": "errored"}
    assert trip["texts"] == ["Hello.", "Hello."]
    assert trip["tiers"] == ["batch", "batch"]
    (error,) = trip["error"]
    assert error["error"]["message"] == '"stream=True" is not supported in the Message Batches API'
    assert result(results, "beta") == ["succeeded"]
    assert result(results, "too_early") == "AnthropicError"
    assert result(results, "pages") == {"newest": True, "before": True, "first": True}
    assert result(results, "cancel_and_delete") == {
        "refused": "In progress batches cannot be deleted. Consider canceling the batch instead.",
        "canceling": ["canceling", True],
        "sum": 60,
        "canceled": True,
        "deleted": ["message_batch_deleted", True],
        "gone": True,
    }
    assert results.get("asynchronous", ["one", "two"]) == ["one", "two"]


@pytest.mark.promise("batches.run", "batches.results-url", "batches.cancel", "batches.delete", "batches.list")
@pytest.mark.parametrize("language", list(PROGRAMS))
def test_an_sdk_works_with_batches(alone: str, language: str) -> None:
    check(run(language, alone))


@pytest.mark.promise("batches.run", "batches.fronts")
@pytest.mark.parametrize("language", list(PROGRAMS))
def test_an_sdk_works_with_batches_of_two_servers_over_one_database(fronts: tuple[str, str], language: str) -> None:
    check(run(language, *fronts))
