"""A model that keeps a summary of what it read instead of the tokens: Mamba, as small as may be, of random weights.

Source: llama.cpp's conversion of Mamba models (names and shapes of its tensors).
"""

import random
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.weights.gguf_files import ARRAY, Raw, Value, header

WIDTH, INNER, STATE, RANK, KERNEL = 64, 128, 16, 4, 4
ALIGNMENT: Final = 32
_INT32: Final = 5


def write(path: Path) -> None:
    """Write the model to a file."""
    tokens = [*(_seen(byte) for byte in range(256)), "<|end|>"]
    values: dict[str, Value] = {
        "general.architecture": "mamba",
        "mamba.context_length": 2048,
        "mamba.embedding_length": WIDTH,
        "mamba.feed_forward_length": 0,
        "mamba.attention.head_count": 0,
        "mamba.block_count": 1,
        "mamba.ssm.conv_kernel": KERNEL,
        "mamba.ssm.inner_size": INNER,
        "mamba.ssm.state_size": STATE,
        "mamba.ssm.time_step_rank": RANK,
        "mamba.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": Raw(ARRAY, struct.pack("<IQ257i", _INT32, 257, *[1] * 256, 3)),
        "tokenizer.ggml.merges": ["a b"],
        "tokenizer.ggml.bos_token_id": 256,
        "tokenizer.ggml.eos_token_id": 256,
        "tokenizer.ggml.add_bos_token": False,
    }
    path.write_bytes(_file(values, len(tokens)))


def _file(values: Mapping[str, Value], vocabulary: int) -> bytes:
    shapes = {
        "token_embd.weight": (WIDTH, vocabulary),
        "output_norm.weight": (WIDTH,),
        "blk.0.attn_norm.weight": (WIDTH,),
        "blk.0.ssm_in.weight": (WIDTH, 2 * INNER),
        "blk.0.ssm_conv1d.weight": (KERNEL, INNER),
        "blk.0.ssm_conv1d.bias": (INNER,),
        "blk.0.ssm_x.weight": (INNER, RANK + 2 * STATE),
        "blk.0.ssm_dt.weight": (RANK, INNER),
        "blk.0.ssm_dt.bias": (INNER,),
        "blk.0.ssm_a": (STATE, INNER),
        "blk.0.ssm_d": (INNER,),
        "blk.0.ssm_out.weight": (INNER, WIDTH),
    }
    dice = random.Random(1)
    places, data = b"", bytearray()
    for name, shape in shapes.items():
        numbers = 1
        for length in shape:
            numbers *= length
        said = struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", len(shape))
        places += said + struct.pack(f"<{len(shape)}QIQ", *shape, 0, len(data))
        data += struct.pack(f"<{numbers}f", *(dice.uniform(-0.1, 0.1) for _ in range(numbers)))
        data += bytes(-len(data) % ALIGNMENT)
    head = header(values, tensors=len(shapes)) + places
    return head + bytes(-len(head) % ALIGNMENT) + bytes(data)


def _seen(byte: int) -> str:
    """The character that stands for a byte in vocabularies of this kind."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return chr(byte if byte in printable else 256 + [n for n in range(256) if n not in printable].index(byte))
