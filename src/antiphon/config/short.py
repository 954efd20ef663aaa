"""Models that people may ask for by a short name: which file of which repository each means, and what it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class ShortName:
    """A model's short name and what it stands for.

    `source`: `hf:org/repo:file`. `family`: how it writes calls, as its template says. `window`: tokens that it was
    trained on. `size`: bytes of its file or files, to three digits. `kv_bytes_per_token`: what a token of a
    conversation takes in a KV cache of 16-bit floats. `licence`: the one that its makers gave it.
    """

    name: str
    title: str
    source: str
    family: str
    window: int
    size: int
    kv_bytes_per_token: int
    licence: str


def _qwen3(size: str, file: str, size_bytes: int, kv_bytes_per_token: int) -> ShortName:
    return ShortName(
        f"qwen3-{size.lower()}",
        f"Qwen3 {size}",
        f"hf:Qwen/Qwen3-{size}-GGUF:Qwen3-{size}-{file}.gguf",
        "hermes",
        40_960,
        size_bytes,
        kv_bytes_per_token,
        "Apache-2.0",
    )


# Layers × KV heads × numbers in a head × 2 (keys and values) × 2 bytes, from each model's config.json.
_KNOWN: Final = (
    _qwen3("0.6B", "Q8_0", 639_000_000, 28 * 8 * 128 * 4),
    _qwen3("1.7B", "Q8_0", 1_830_000_000, 28 * 8 * 128 * 4),
    _qwen3("4B", "Q4_K_M", 2_500_000_000, 36 * 8 * 128 * 4),
    _qwen3("8B", "Q4_K_M", 5_030_000_000, 36 * 8 * 128 * 4),
    _qwen3("14B", "Q4_K_M", 9_000_000_000, 40 * 8 * 128 * 4),
    _qwen3("30B-A3B", "Q4_K_M", 18_600_000_000, 48 * 4 * 128 * 4),
    _qwen3("32B", "Q4_K_M", 19_800_000_000, 64 * 8 * 128 * 4),
    ShortName(
        "qwen3-coder-30b",
        "Qwen3 Coder 30B A3B",
        "hf:unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf",
        "qwen3-coder",
        262_144,
        18_600_000_000,
        48 * 4 * 128 * 4,
        "Apache-2.0",
    ),
    ShortName(
        "gpt-oss-20b",
        "gpt-oss 20B",
        "hf:ggml-org/gpt-oss-20b-GGUF:gpt-oss-20b-mxfp4.gguf",
        "gpt-oss",
        131_072,
        12_100_000_000,
        24 * 8 * 64 * 4,
        "Apache-2.0",
    ),
    ShortName(
        "gpt-oss-120b",
        "gpt-oss 120B",
        "hf:ggml-org/gpt-oss-120b-GGUF:gpt-oss-120b-mxfp4-00001-of-00003.gguf",
        "gpt-oss",
        131_072,
        63_400_000_000,
        36 * 8 * 64 * 4,
        "Apache-2.0",
    ),
    ShortName(
        "llama-3.2-3b",
        "Llama 3.2 3B Instruct",
        "hf:bartowski/Llama-3.2-3B-Instruct-GGUF:Llama-3.2-3B-Instruct-Q4_K_M.gguf",
        "llama3",
        131_072,
        2_020_000_000,
        28 * 8 * 128 * 4,
        "Llama 3.2 Community",
    ),
)

SHORT_NAMES: Final[Mapping[str, ShortName]] = MappingProxyType({known.name: known for known in _KNOWN})
"""Every model that has a short name, the smallest of each kind first."""


def source_of(text: str) -> str:
    """The source that a short name stands for; any other text as it is."""
    known = SHORT_NAMES.get(text)
    return text if known is None else known.source


def known_by(source: str) -> ShortName | None:
    """The model with a short name that a source is, None where it is another."""
    return next((known for known in _KNOWN if known.source == source), None)
