"""A file that is written anew: number for number what llama.cpp's own package makes of the same tensors."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from antiphon.weights import WeightsError, read_header
from antiphon.weights.rewriting import plan, write
from tests.weights.adapter_files import Array, adapter_file, tensor_file
from tests.weights.gguf_files import MODEL

WIDTH, ROWS, RANK, ALPHA = 64, 48, 4, 6.0
Q4_0, Q4_1, Q5_1, Q8_0 = (gguf.GGMLQuantizationType[name] for name in ("Q4_0", "Q4_1", "Q5_1", "Q8_0"))
F32, F16 = gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16
FORMS = {
    "blk.0.attn_q.weight": Q4_1,
    "blk.0.attn_k.weight": Q5_1,
    "blk.0.attn_v.weight": Q4_0,
    "blk.0.ffn_up.weight": F16,
    "blk.0.ffn_down.weight": Q8_0,
    "blk.0.attn_norm.weight": F32,
}


def drawn(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def model(path: Path) -> Path:
    """A model with a tensor of every form, written by llama.cpp's package."""
    writer: Any = gguf.GGUFWriter(path, "llama")
    writer.add_name("Tiny")
    writer.add_array("tokenizer.ggml.tokens", ["<s>", "</s>"])
    for seed, (name, form) in enumerate(FORMS.items()):
        numbers = drawn(seed, WIDTH) if "norm" in name else drawn(seed, ROWS, WIDTH)
        packed: Any = gguf.quantize(numbers, form)
        writer.add_tensor(name, packed, raw_dtype=form)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(path: Path) -> dict[str, tuple[gguf.GGMLQuantizationType, bytes, Array]]:
    """Each tensor's form, bytes and numbers, as llama.cpp's package reads them."""
    reader: Any = gguf.GGUFReader(path)
    return {
        str(tensor.name): (
            tensor.tensor_type,
            tensor.data.tobytes(),
            np.asarray(gguf.dequantize(tensor.data, tensor.tensor_type), np.float32),
        )
        for tensor in reader.tensors
    }


def rewritten(source: Path, adapter: Path | None, *, quicken: bool) -> Path:
    path = source.with_name("anew.gguf")
    planned = plan(source, adapter, quicken=quicken)
    told: list[int] = []
    with path.open("wb") as file:
        write(planned, file, told.append)
    assert sum(told) == planned.size == path.stat().st_size
    return path


def quantized(numbers: Array) -> bytes:
    packed: Any = gguf.quantize(numbers, Q8_0)
    return packed.tobytes()


@pytest.mark.promise("weights.anew-exact")
def test_slow_tensors_become_what_llama_cpp_makes_of_their_numbers_and_the_rest_stays_as_it_is(tmp_path: Path):
    source = model(tmp_path / "tiny.gguf")
    before, after = tensors(source), tensors(rewritten(source, None, quicken=True))
    assert list(after) == list(before)
    for name, (form, data, numbers) in before.items():
        slow = form in (Q4_1, Q5_1)
        assert after[name][:2] == ((Q8_0, quantized(numbers)) if slow else (form, data)), name
    assert read_header(tmp_path / "anew.gguf").name == read_header(source).name == "Tiny"


def pairs(names: Mapping[str, Any]) -> dict[str, tuple[Array, Array]]:
    return {name: (drawn(50, RANK, WIDTH), drawn(60 + seed, ROWS, RANK)) for seed, name in enumerate(names)}


@pytest.mark.promise("weights.anew-exact")
@pytest.mark.parametrize(("alpha", "strength"), [(ALPHA, ALPHA / RANK), (0.0, 1.0)])
def test_a_merged_adapter_is_in_the_numbers_of_what_it_adapts_and_of_nothing_else(
    tmp_path: Path, alpha: float, strength: float
):
    source, adapter = model(tmp_path / "tiny.gguf"), tmp_path / "change.gguf"
    changed = pairs({name: None for name in FORMS if "norm" not in name and "attn_v" not in name})
    adapter.write_bytes(adapter_file(changed, alpha))
    before, after = tensors(source), tensors(rewritten(source, adapter, quicken=False))
    for name, (form, data, numbers) in before.items():
        if name not in changed:
            assert after[name][:2] == (form, data), name
            continue
        down, up = changed[name]
        wanted = numbers + np.float32(strength) * (up @ down)
        assert after[name][0] == (F16 if form == F16 else Q8_0), name
        # Half a step of the form: a block's largest number is 127 steps, a 16-bit float's last bit is 2^-11 of it.
        assert np.abs(after[name][2] - wanted).max() <= np.abs(wanted).max() / (2000 if form == F16 else 250), name


def test_a_tensor_is_worked_on_in_pieces_and_comes_out_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source, adapter = model(tmp_path / "tiny.gguf"), tmp_path / "change.gguf"
    adapter.write_bytes(adapter_file(pairs({"blk.0.attn_q.weight": None}), ALPHA))
    whole = rewritten(source, adapter, quicken=True).read_bytes()
    monkeypatch.setattr("antiphon.weights.rewriting._CHUNK", 5 * WIDTH)
    monkeypatch.setattr("antiphon.weights.rewriting._PIECE", 100)
    pieces = tensors(rewritten(source, adapter, quicken=True))
    (tmp_path / "anew.gguf").write_bytes(whole)
    for name, (form, _, numbers) in tensors(tmp_path / "anew.gguf").items():
        assert pieces[name][0] == form
        # Sums of fewer rows at a time may differ in their last bit, and so by a step of the form.
        np.testing.assert_allclose(pieces[name][2], numbers, atol=np.abs(numbers).max() / 120)


def test_what_cannot_be_merged_is_said(tmp_path: Path):
    source, adapter = tmp_path / "tiny.gguf", tmp_path / "change.gguf"
    source.write_bytes(tensor_file(MODEL, {"token_embd.weight": drawn(0, 10, WIDTH)}))
    adapter.write_bytes(adapter_file({"token_embd.weight": (drawn(1, 10, 2), drawn(2, WIDTH, 2))}, 8.0))
    with pytest.raises(WeightsError, match="changes the embedding"):
        plan(source, adapter, quicken=False)
    source.write_bytes(tensor_file({**MODEL, "split.count": 2}, {"token_embd.weight": drawn(0, 10, WIDTH)}))
    with pytest.raises(WeightsError, match="split into several files"):
        plan(source, None, quicken=True)


def test_a_source_that_ends_early_is_no_half_a_file(tmp_path: Path):
    source = model(tmp_path / "tiny.gguf")
    planned = plan(source, None, quicken=False)
    source.write_bytes(source.read_bytes()[:-4096])
    with pytest.raises(WeightsError, match="cut short"):
        write(planned, io.BytesIO(), lambda _: None)
