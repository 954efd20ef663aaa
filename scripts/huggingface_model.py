"""Writes a model of a GGUF file as the directory that Hugging Face's engines load: the default model for vLLM.

python scripts/huggingface_model.py MODEL.gguf DIRECTORY [--layers N] [--tokenizer-only]

For models of llama's architecture with a byte-level tokenizer whose digits stand alone (llama.cpp's kind `smollm`).
With fewer layers it writes nonsense, and fast: enough for everything but what a text says. The weights are those of
the file, in floats of 32 bits.
"""

import argparse
import importlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

CONTROL = 3
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9
LAYER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
TOP = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}


class Header:
    """What the file says of its model, by key. Read here, since the reader of the `gguf` package takes 5 s for it.

    Source: the GGUF specification (ggml, docs/gguf.md), version 3.
    """

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self._at = 16
        self._values: dict[str, Any] = {}
        for _ in range(self._number("Q")):
            key = self._text()
            self._values[key] = self._value(self._number("I"))

    def get(self, key: str, default: Any = None) -> Any:
        """The value, and the default where there is none."""
        return self._values.get(key, default)

    def _value(self, kind: int) -> Any:
        if kind == TEXT:
            return self._text()
        if kind == ARRAY:
            inner, count = self._number("I"), self._number("Q")
            return [self._value(inner) for _ in range(count)]
        return self._number(NUMBERS[kind])

    def _text(self) -> str:
        length = self._number("Q")
        self._at += length
        return self._data[self._at - length : self._at].decode("utf-8")

    def _number(self, letter: str) -> Any:
        (value,) = struct.unpack_from(f"<{letter}", self._data, self._at)
        self._at += struct.calcsize(letter)
        return value


def write_tokenizer(header: Header, directory: Path) -> None:
    """tokenizer.json and tokenizer_config.json."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, kinds = header.get("tokenizer.ggml.tokens"), header.get("tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ", 1)) for merge in header.get("tokenizer.ggml.merges")]
    made: Any = Tokenizer(models.BPE({token: at for at, token in enumerate(tokens)}, merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL]
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    made.save(str(directory / "tokenizer.json"))
    bos, eos = header.get("tokenizer.ggml.bos_token_id"), header.get("tokenizer.ggml.eos_token_id")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[bos],
        "eos_token": tokens[eos],
        "pad_token": tokens[eos],
        "clean_up_tokenization_spaces": False,
        "model_max_length": header.get("llama.context_length"),
        "chat_template": header.get("tokenizer.chat_template"),
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")


def write_config(header: Header, directory: Path, layers: int, *, tied: bool) -> None:
    """config.json."""
    width, heads = header.get("llama.embedding_length"), header.get("llama.attention.head_count")
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": width,
        "intermediate_size": header.get("llama.feed_forward_length"),
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": header.get("llama.attention.head_count_kv"),
        "head_dim": width // heads,
        "max_position_embeddings": header.get("llama.context_length"),
        "rope_theta": header.get("llama.rope.freq_base", 10000.0),
        "rms_norm_eps": header.get("llama.attention.layer_norm_rms_epsilon"),
        "vocab_size": len(header.get("tokenizer.ggml.tokens")),
        "tie_word_embeddings": tied,
        "bos_token_id": header.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": header.get("tokenizer.ggml.eos_token_id"),
        "attention_bias": False,
        "mlp_bias": False,
        "dtype": "float32",
    }
    (directory / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


def weights(model: Path, header: Header, layers: int) -> dict[str, Floats]:
    """The tensors by Hugging Face's names."""
    import gguf

    heads = {
        "attn_q": header.get("llama.attention.head_count"),
        "attn_k": header.get("llama.attention.head_count_kv"),
    }
    found: dict[str, Floats] = {}
    for tensor in gguf.GGUFReader(model).tensors:
        value: Floats = np.array(gguf.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        if tensor.name in TOP:
            found[TOP[tensor.name]] = value
            continue
        _, layer, name, _ = tensor.name.split(".")
        if int(layer) < layers:
            turned = value if name not in heads else unturned(value, heads[name])
            found[f"model.layers.{layer}.{LAYER[name]}.weight"] = np.ascontiguousarray(turned)
    return found


def unturned(rows: Floats, heads: int) -> Floats:
    """llama.cpp turns neighbouring numbers of a head together, Hugging Face its two halves."""
    return rows.reshape(heads, -1, 2, rows.shape[-1]).swapaxes(1, 2).reshape(rows.shape)


def main() -> None:
    """Write the directory that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--layers", type=int, default=0, help="keep so many of the first layers (0: all)")
    parser.add_argument("--tokenizer-only", action="store_true")
    asked = parser.parse_args()
    asked.directory.mkdir(parents=True, exist_ok=True)
    header = Header(asked.model)
    write_tokenizer(header, asked.directory)
    if asked.tokenizer_only:
        return
    # Where there is a torch, there is this, too: it is no dependency of the project.
    save_file: Any = importlib.import_module("safetensors.numpy").save_file

    layers = asked.layers or header.get("llama.block_count")
    found = weights(asked.model, header, layers)
    save_file(found, asked.directory / "model.safetensors", metadata={"format": "pt"})
    write_config(header, asked.directory, layers, tied=TOP["output.weight"] not in found)


if __name__ == "__main__":
    main()
