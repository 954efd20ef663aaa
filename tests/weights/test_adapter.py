"""Which adapter a model is served with, and what is said of one that does not fit."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from antiphon.weights import WeightsError, builtin, resolve
from antiphon.weights.builtin import DEFAULT, builtin_adapter
from tests.weights.adapter_files import Array, adapter_file, random_pairs, tensor_file
from tests.weights.gguf_files import MODEL, gguf

NAME = "blk.0.attn_q.weight"


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


PAIR = (zeros(4, 64), zeros(32, 4))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "Tiny.gguf"
    path.write_bytes(tensor_file(MODEL, {NAME: zeros(32, 64), "token_embd.weight": zeros(10, 64)}))
    return path


def beside(model: Path, data: bytes) -> str:
    path = model.with_name("change.gguf")
    path.write_bytes(data)
    return str(path)


@pytest.mark.promise("adapter.is-applied")
def test_an_adapter_that_the_settings_name_is_found_with_its_rank_and_told_in_the_models_name(model: Path):
    path = beside(model, adapter_file({NAME: PAIR, "token_embd.weight": (zeros(10, 2), zeros(64, 2))}, 8.0))
    found = resolve(str(model), adapter=path)
    assert found.adapter is not None
    assert (str(found.adapter.path), found.adapter.rank) == (path, 4)
    assert found.adapter.size == Path(path).stat().st_size
    assert found.name == "Tiny with change"
    assert found.shown == "Tiny"
    assert found.origin.endswith(", with the adapter change (rank 4)")


@pytest.mark.promise("adapter.plain-is-the-base")
@pytest.mark.parametrize(("scope", "for_tools"), [("", False), ("tools", True), ("another time", False)])
def test_an_adapter_says_itself_whether_it_is_for_tools_only(model: Path, scope: str, for_tools: bool):
    path = beside(model, adapter_file({NAME: PAIR}, 8.0, scope=scope))
    found = resolve(str(model), adapter=path)
    assert found.adapter is not None
    assert found.adapter.for_tools == for_tools


def test_a_model_without_an_adapter_keeps_its_name(model: Path):
    beside(model, adapter_file({NAME: PAIR}, 8.0))
    found = resolve(str(model))
    assert (found.adapter, found.name, found.origin) == (None, "Tiny", str(model))


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An adapter that ships for the built-in model, wherever the real one is."""
    monkeypatch.setattr(builtin, "ADAPTERS", tmp_path)
    path = tmp_path / DEFAULT.adapter
    path.write_bytes(adapter_file(random_pairs((29,), rank=2), 2.0))
    return path


@pytest.mark.promise("adapter.default")
def test_the_builtin_model_has_the_adapter_that_ships_and_any_other_model_has_none(shipped: Path, model: Path):
    for source in ("builtin", DEFAULT.id):
        found = resolve(source)
        assert found.adapter is not None
        assert (found.adapter.path, found.adapter.rank) == (shipped, 2)
    assert resolve(str(model)).adapter is None


@pytest.mark.promise("adapter.default")
def test_the_adapter_that_ships_can_be_switched_off_and_another_one_take_its_place(shipped: Path, tmp_path: Path):
    assert resolve("builtin", adapter="none").adapter is None
    other = tmp_path / "other.gguf"
    shutil.copy(shipped, other)
    found = resolve("builtin", adapter=str(other)).adapter
    assert found is not None
    assert found.path == other


@pytest.mark.usefixtures("shipped")
def test_a_package_without_the_adapter_serves_the_model_as_it_is(tmp_path: Path):
    (tmp_path / DEFAULT.adapter).unlink()
    assert builtin_adapter(DEFAULT) is None
    assert resolve("builtin").adapter is None


@pytest.mark.promise("adapter.wrong-file")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(None, "there is no such adapter file", id="missing"),
        pytest.param(b"PK\x03\x04", "not a GGUF file", id="no GGUF"),
        pytest.param(b"GGUF", "inside its own header", id="cut short"),
        pytest.param(adapter_file({NAME: PAIR}, 8.0)[:300], "inside its own header", id="cut short in its tensors"),
        pytest.param(gguf(MODEL), "not a LoRA adapter, but a model or a projector", id="a model"),
        pytest.param(
            adapter_file({NAME: PAIR}, 8.0, kind="vera"), "but an adapter of the kind vera", id="another kind"
        ),
        pytest.param(
            adapter_file({NAME: PAIR}, 8.0, architecture="qwen3"),
            r"of the architecture qwen3; Tiny\.gguf is llama",
            id="another architecture",
        ),
        pytest.param(adapter_file({}, 8.0), "it adapts nothing", id="empty"),
        pytest.param(
            adapter_file({"blk.9.attn_q.weight": PAIR}, 8.0),
            r"adapts blk\.9\.attn_q\.weight, which",
            id="more layers",
        ),
        pytest.param(
            adapter_file({NAME: (zeros(4, 128), zeros(32, 4))}, 8.0),
            r"does not fit Tiny\.gguf: blk\.0\.attn_q\.weight is 64 × 32, and its adapter 128 × 4 by 4 × 32",
            id="wider",
        ),
        pytest.param(adapter_file({NAME: (zeros(4, 64), zeros(32, 8))}, 8.0), "64 × 4 by 8 × 32", id="two ranks"),
        pytest.param(
            tensor_file(
                {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"},
                {f"{NAME}.lora_a": zeros(4, 64)},
            ),
            r"has \.lora_a and no \.lora_b",
            id="half a pair",
        ),
        pytest.param(
            tensor_file(
                {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"},
                {NAME: zeros(4, 64)},
            ),
            "no part of a LoRA adapter",
            id="something else in it",
        ),
    ],
)
def test_a_wrong_adapter_is_named_with_what_is_wrong_with_it(model: Path, data: bytes | None, words: str):
    path = str(model.with_name("change.gguf")) if data is None else beside(model, data)
    with pytest.raises(WeightsError, match=words) as caught:
        resolve(str(model), adapter=path)
    assert str(caught.value).startswith(path)


@pytest.mark.promise("weights.bad-file")
def test_an_adapter_is_no_model(model: Path):
    with pytest.raises(WeightsError, match="Name the model, and this file as its `adapter`"):
        resolve(beside(model, adapter_file({NAME: PAIR}, 8.0)))
