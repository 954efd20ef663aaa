"""Engines elsewhere: what `doctor`, `models` and a start show of them."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from antiphon.cli.progress import ConsoleObserver
from antiphon.compose import probes
from antiphon.compose.remote import Looked
from antiphon.config import Settings
from antiphon.engines.remote.endpoint import Finding, Findings, Identity
from antiphon.ports.engine import ModelCard
from tests.cli.commands import HERE, Composition

LLGUIDANCE = "take a llama-server that was built with -DLLAMA_LLGUIDANCE=ON"
GOOD = Findings(
    "llama-server",
    "b7012",
    ModelCard("", "Qwen3-8B", 4096),
    Identity("Qwen3-8B", "t", "k"),
    (
        Finding("window", True, "4096 tokens [in each] of 4 slots"),
        Finding("cache", False, "nothing was kept", needed=False),
    ),
)
BAD = replace(GOOD, rows=(Finding("grammars", False, "not kept to: 'unbound' was written under one", LLGUIDANCE),))

REMOTE = replace(HERE, id="remote", source="http://a:1 http://b:2", path=None, size_bytes=None, remote=True)


@pytest.fixture
def looked(composition: Composition, monkeypatch: pytest.MonkeyPatch) -> Composition:
    """A composition that finds something at URLs."""
    looks = [
        Looked("http://a:1", GOOD),
        Looked("http://b:2", BAD),
        Looked("http://c:3", problem="nobody answers"),
        Looked("http://d:4", problem="nobody answers", drained=True),
    ]

    def look(settings: Settings) -> dict[str, list[Looked]]:
        return {"remote": looks}

    composition.models = (REMOTE,)
    monkeypatch.setattr(probes, "look_at_engines", look)
    return composition


@pytest.mark.promise("remote.shown")
def test_the_doctor_shows_each_engine_with_what_was_tried_in_80_columns(looked: Composition):
    result = looked.run("doctor", "--url", "http://a:1", env={"COLUMNS": "80"})
    assert result.exit_code == 1
    shown = result.stdout[result.stdout.index("model remote: http://a:1") :]
    assert max(map(len, shown.splitlines())) <= 80
    words = " ".join(shown.split())
    for part in (
        "model remote: http://a:1, llama-server b7012, Qwen3-8B",
        "OK window 4096 tokens [in each] of 4 slots",
        "WARN cache nothing was kept",
        f"FAIL grammars not kept to: 'unbound' was written under one → {LLGUIDANCE}",
        "FAIL answer nobody answers → Is its address right, and is it running?",
        "WARN service drained: servers give it nothing new → antiphon engines undrain http://d:4",
        "WARN answer nobody answers → Is its address right, and is it running?",
    ):
        assert part in words


@pytest.mark.promise("remote.shown")
def test_the_doctors_json_has_them_too(looked: Composition):
    found = json.loads(looked.run("doctor", "--url", "http://a:1", "--json").stdout)
    places = [one["place"] for one in found if one["place"]]
    assert places == [
        *["model remote: http://a:1, llama-server b7012, Qwen3-8B"] * 2,
        "model remote: http://b:2, llama-server b7012, Qwen3-8B",
        "model remote: http://c:3",
        *["model remote: http://d:4"] * 2,
    ]


@pytest.mark.promise("remote.shown")
def test_the_models_are_listed_with_their_urls(composition: Composition):
    composition.models = (REMOTE,)
    output = composition.run("models", "--url", "http://a:1").stdout
    assert "http://a:1 http://b:2" in " ".join(output.split())


@pytest.mark.promise("remote.shown")
def test_a_start_shows_what_was_found_once_for_engines_that_are_alike():
    err = Console(file=StringIO(), width=80)
    observer = ConsoleObserver(Settings(), err=err, out=err)
    observer.found("remote", "http://a:1", GOOD)
    observer.found("remote", "http://b:2", GOOD)
    observer.found("remote", "http://c:3", BAD)
    assert isinstance(err.file, StringIO)
    lines = [line.strip() for line in err.file.getvalue().splitlines()]
    assert lines[0] == "remote: http://a:1, llama-server b7012, Qwen3-8B"
    assert "http://b:2: llama-server b7012, Qwen3-8B: the same" in lines
    assert lines.count("remote: http://c:3, llama-server b7012, Qwen3-8B") == 1
