"""Web search and web fetch as a server has them that nobody has configured."""

import json
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import pytest

from tests.arch.tree import ROOT
from tests.referee.live import live_process, run_client
from tests.referee.small_web import small_wiki
from tests.tools.wiki import WikiStandIn

HERE = Path(__file__).parent
EXAMPLE = ROOT / "examples" / "tool_use" / "pause_turn.py"
SCRIPT = f'model = "script:{HERE / "searching.toml"}"'
DEFAULTS = {"ANTIPHON_SERVER_TOOLS_DEFAULTS": "true"}


def pointed_at(url: str) -> str:
    """All that a test says of the search: the default's own provider, at another address."""
    return f'[server_tools.web_search]\nprovider = "wikipedia"\nurl = "{url}"\n'


@contextmanager
def searching(folder: Path, model: str, rounds: int = 10) -> Generator[tuple[str, WikiStandIn]]:
    """A server with its defaults, whose searches find what the small wiki has."""
    config = folder / "antiphon.toml"
    with small_wiki() as wiki:
        config.write_text(f"{model}\n[server_tools]\nrounds = {rounds}\n{pointed_at(wiki.url)}", "utf-8")
        with live_process("--config", str(config), extra=DEFAULTS) as live:
            yield live.url, wiki


@pytest.mark.promise("snippets.pause-turn", "web-tools.default")
@pytest.mark.parametrize(("rounds", "stop"), [(1, "pause_turn"), (10, "end_turn")])
def test_the_pause_turn_example_finds_articles_without_an_account(tmp_path: Path, rounds: int, stop: str) -> None:
    with searching(tmp_path, SCRIPT, rounds) as (url, wiki):
        output = run_client([sys.executable, EXAMPLE], url)
        assert output.startswith("Message(id='msg_")
        assert f"stop_reason='{stop}'" in output
        assert "WebSearchToolResultBlock(" in output
        assert "https://en.wikipedia.org/wiki/Quantum_error_correction" in output
        if rounds == 10:
            assert "page_age='October 9, 2026'" in output
            assert "Qubits got better." in output
        assert [asked.params["gsrsearch"] for asked in wiki.asked] == ["qubits", "error correction"]


@pytest.mark.promise("web-tools.default", "models.describe")
def test_the_list_of_models_says_that_there_is_a_search_unless_the_owner_wants_none(tmp_path: Path) -> None:
    script = Path(shutil.copy(HERE / "searching.toml", tmp_path / "script.toml"))
    for extra, there in ((DEFAULTS, True), ({}, False)):
        with live_process("--model", f"script:{script}", extra=extra) as live:
            asked = urllib.request.Request(
                f"{live.url}/v1/models/claude-opus-4-8",
                headers={"x-api-key": "k", "anthropic-version": "2023-06-01"},
            )
            with urllib.request.urlopen(asked, timeout=20) as answer:
                listed = json.load(answer)["capabilities"]["server_tools"]
            # Tools are searched for on every server.
            assert (listed["supported"], listed["web_search"]["supported"]) == (True, there)


@pytest.mark.promise("web-tools.without-network", "server-tools.failures")
def test_without_a_network_a_search_is_unavailable_at_once_and_the_reply_goes_on(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        script = tmp_path / "script.toml"
        script.write_text(
            '[[reply]]\nmatch = "unavailable"\ntext = "The web does not answer."\n'
            + (HERE / "searching.toml").read_text("utf-8"),
            "utf-8",
        )
        config = tmp_path / "antiphon.toml"
        config.write_text(f'model = "script:{script}"\n{pointed_at(place)}', "utf-8")
        request: Any = {
            "model": "claude-opus-4-8",
            "max_tokens": 1000,
            "messages": [{"role": "user", "content": "What is new about quantum computers?"}],
            "tools": [{"type": "web_search_20250305", "name": "web_search"}],
        }
        with (
            live_process("--config", str(config), extra=DEFAULTS) as live,
            anthropic.Anthropic(base_url=live.url, api_key="k", max_retries=0) as client,
        ):
            create: Any = client.messages.create
            for _ in range(3):
                began = time.monotonic()
                message = create(**request)
                assert time.monotonic() - began < 10
                error, said = message.content[2:]
                assert error.type == "web_search_tool_result"
                assert error.content.error_code == "unavailable"
                assert (said.text, message.stop_reason) == ("The web does not answer.", "end_turn")
