"""The built-in model's tokenizer, from its GGUF file: text → tokens, as llama.cpp has them."""

from pathlib import Path
from typing import Final

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

_CONTROL: Final = 3


def tokenizer(model: Path) -> Tokenizer:
    """The tokenizer: byte-level BPE, digits one by one (llama.cpp's kind `smollm`)."""
    reader = gguf.GGUFReader(model)
    tokens: list[str] = _contents(reader, "tokens")
    kinds: list[int] = _contents(reader, "token_type")
    merges = [tuple(merge.split(" ", 1)) for merge in _contents(reader, "merges")]
    made = Tokenizer(models.BPE({token: at for at, token in enumerate(tokens)}, merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    return made


def _contents(reader: gguf.GGUFReader, key: str) -> list:
    field = reader.get_field(f"tokenizer.ggml.{key}")
    assert field is not None, f"the model's header has no {key}"
    return field.contents()
