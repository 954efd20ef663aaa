"""Small tokenizers of the kinds that models have, as files: byte-level, and SentencePiece's with bytes to fall back to."""

import json
from typing import Any

from antiphon.engines.remote.tokens.pieces import byte_alphabet
from antiphon.engines.remote.tokens.tokenizer import LocalTokenizer, TokenizerFiles

SPECIAL = ("<s>", "</s>", "<|im_start|>", "<|im_end|>")
MARKUP = "<tool_call>"
TEMPLATE = "{{ messages[0]['content'] }}"


def byte_level(**settings: Any) -> LocalTokenizer:
    """GPT-2's kind: every byte has a token, and some words do."""
    letters = list(byte_alphabet())
    words = ["th", "the", "Ġthe", "Ġs", "Ġsea", "ðŁ", "ðŁĺ"]
    merges = [["t", "h"], ["th", "e"], ["Ġ", "the"], ["Ġ", "s"], ["Ġs", "ea"], ["e", "a"], ["ð", "Ł"], ["ðŁ", "ĺ"]]
    vocabulary = [*letters, "ea", *words]
    described = _described(vocabulary, merges)
    described["pre_tokenizer"] = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    described["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    return _made(described, settings)


def metaspace(scheme: str = "first", **settings: Any) -> LocalTokenizer:
    """Llama 2's kind: blanks are drawn, one is put before a text, and bytes stand for what has no token."""
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = ["<unk>", *bytes_, "▁", *"abcdehilmnorstuwy.", "se", "sea", "▁sea", "th", "the", "▁the"]
    merges = [["s", "e"], ["se", "a"], ["▁", "sea"], ["t", "h"], ["th", "e"], ["▁", "the"]]
    described = _described(vocabulary, merges)
    described["model"] |= {"unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True}
    if scheme == "prepend":
        replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
        described["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, replace]}
    else:
        described["pre_tokenizer"] = {
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False
        }  # fmt: skip
    described["decoder"] = {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    }
    return _made(described, settings)


def files(described: dict[str, Any], **settings: Any) -> TokenizerFiles:
    """The files around a tokenizer.json of these contents."""
    config = {"bos_token": "<s>", "eos_token": "</s>", "chat_template": TEMPLATE, **settings.pop("config", {})}
    return TokenizerFiles(json.dumps(described), config, **settings)


def _made(described: dict[str, Any], settings: dict[str, Any]) -> LocalTokenizer:
    described |= settings.pop("described", {})
    return LocalTokenizer(files(described, **settings))


def _described(vocabulary: list[str], merges: list[list[str]]) -> dict[str, Any]:
    model: dict[str, Any] = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
        "vocab": {token: at for at, token in enumerate(vocabulary)}, "merges": merges,
    }  # fmt: skip
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [
        {"id": len(vocabulary) + at, "content": text, **flags, "special": text in SPECIAL}
        for at, text in enumerate((*SPECIAL, MARKUP))
    ]
    return {
        "version": "1.0", "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": None, "added_tokens": added, "normalizer": None, "pre_tokenizer": None, "post_processor": None,
        "decoder": None, "model": model,
    }  # fmt: skip
