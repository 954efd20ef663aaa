"""The files of a tokenizer come from a place or from a hub, without the weights; every way to fail says what to do."""

import re
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest

from antiphon.weights import Hub, WeightsError
from antiphon.weights.tokenizer import BESIDE, MAIN, find_tokenizer
from tests.weights.stand_in_hub import StandInHub, running

REPO = "org/Tiny"
FILES = {MAIN: b"{}", "tokenizer_config.json": b"{ }", "config.json": b"{  }", "model.safetensors": b"x" * 10_000}


@pytest.fixture
def stand_in() -> Iterator[StandInHub]:
    with running() as hub:
        hub.files[REPO] = FILES
        yield hub
    huggingface_hub.close_session()


@pytest.fixture
def hub(stand_in: StandInHub, tmp_path: Path) -> Hub:
    return Hub(endpoint=stand_in.endpoint, cache=tmp_path)


def refused(source: str, words: str, hub: Hub | None = None) -> None:
    with pytest.raises(WeightsError, match=words) as raised:
        find_tokenizer(source, hub=hub)
    assert str(raised.value).startswith(source)


@pytest.mark.promise("remote-tokens.tokenizer-found")
def test_a_folder_or_the_file_in_it_is_taken(tmp_path: Path):
    (tmp_path / MAIN).write_text("{}")
    assert find_tokenizer(str(tmp_path)) == find_tokenizer(str(tmp_path / MAIN)) == tmp_path


@pytest.mark.promise("remote-tokens.tokenizer-found")
def test_from_a_hub_only_what_is_read_is_downloaded(hub: Hub):
    seen: set[str] = set()

    def note(name: str, done: int, total: int | None) -> None:
        seen.add(name)

    place = find_tokenizer(f"hf:{REPO}", note, hub=hub)
    assert {file.name for file in place.iterdir()} == seen == {MAIN, "tokenizer_config.json", "config.json"}
    assert set(seen) <= {MAIN, *BESIDE}


@pytest.mark.promise("remote-tokens.tokenizer-found")
def test_what_is_in_the_cache_needs_no_hub(hub: Hub, stand_in: StandInHub, tmp_path: Path):
    place = find_tokenizer(f"hf:{REPO}", hub=hub)
    away = Hub(endpoint="http://127.0.0.1:9", cache=tmp_path)
    assert find_tokenizer(f"hf:{REPO}", hub=away) == place


@pytest.mark.promise("remote-tokens.tokenizer-found")
@pytest.mark.parametrize(
    ("name", "kind"), [("tekken.json", "tekken"), ("tokenizer.model", "SentencePiece"), ("x", "")]
)
def test_another_kind_of_tokenizer_is_named(hub: Hub, stand_in: StandInHub, tmp_path: Path, name: str, kind: str):
    stand_in.files["org/Other"] = {name: b"{}"}
    refused("hf:org/Other", f"no tokenizer.json.*{kind}", hub)
    (tmp_path / name).write_text("{}")
    refused(str(tmp_path), f"no tokenizer.json.*{kind}")


def test_a_place_that_is_none_is_refused(hub: Hub, tmp_path: Path):
    refused(str(tmp_path / "nowhere"), "no such directory")
    refused("hf:org/Missing", "no such repository", hub)
    with pytest.raises(WeightsError, match=re.escape("name a repository with a tokenizer.json")):
        find_tokenizer(f"hf:{REPO}:tiny.gguf", hub=hub)
