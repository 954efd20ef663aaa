"""Small GGUF files, made of bytes: headers with what a test wants in them, and no tensors."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UINT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 4, 6, 7, 8, 9, 10


@dataclass(frozen=True)
class Raw:
    """A value as its type and bytes, for what no honest file holds."""

    kind: int
    data: bytes


Value = int | float | bool | str | Sequence[str] | Sequence[int] | Raw

MODEL: Mapping[str, Value] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "llama.context_length": 2048,
    "tokenizer.chat_template": "{{ messages }}",
    "tokenizer.ggml.tokens": ["<s>", "</s>", "a", "<think>", "\n\n", "b"],
    "tokenizer.ggml.token_type": [3, 3, 1, 4, 4, 1],
    "tokenizer.ggml.merges": ["a b", "b a"],
    "tokenizer.ggml.bos_token_id": 0,
    "tokenizer.ggml.eos_token_id": 1,
    "tokenizer.ggml.add_bos_token": True,
}


def gguf(values: Mapping[str, Value], *, version: int = 3, magic: bytes = b"GGUF", count: int | None = None) -> bytes:
    """A file with these values in its header."""
    return header(values, version=version, magic=magic, count=count)


def header(
    values: Mapping[str, Value],
    *,
    version: int = 3,
    magic: bytes = b"GGUF",
    count: int | None = None,
    tensors: int = 0,
) -> bytes:
    """A header with these values, of a file with so many tensors."""
    head = magic + struct.pack("<IQQ", version, tensors, len(values) if count is None else count)
    return head + b"".join(_string(key) + _typed(value) for key, value in values.items())


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _typed(value: Value) -> bytes:
    match value:
        case Raw(kind, data):
            return struct.pack("<I", kind) + data
        case bool():
            return struct.pack("<I?", BOOL, value)
        case int():
            return struct.pack("<II", UINT32, value)
        case float():
            return struct.pack("<If", FLOAT32, value)
        case str():
            return struct.pack("<I", STRING) + _string(value)
        case _:
            return struct.pack("<I", ARRAY) + _elements(value)


def _elements(values: Sequence[str] | Sequence[int]) -> bytes:
    kind = STRING if values and isinstance(values[0], str) else UINT32
    body = b"".join(_string(value) if isinstance(value, str) else struct.pack("<I", value) for value in values)
    return struct.pack("<IQ", kind, len(values)) + body
