"""The bytes that each token of a vocabulary stands for, by what its tokenizer.json says of decoding.

A token's bytes need not be whole characters, and do not depend on the tokens around it: so what a stream of tokens
says can be told as it comes. What a decoder would take from the very beginning of a text (a blank) is left there,
because a reply is not the beginning of one.

Source: the format of the tokenizers library, `decoder`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from antiphon.errors import EngineFault

_BYTE: Final = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SILENT: Final = frozenset({"Fuse", "Strip"})
_Step = Callable[[str], str]


def byte_alphabet() -> Mapping[str, int]:
    """The characters that byte-level vocabularies write bytes with. Source: GPT-2's encoder, `bytes_to_unicode`."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + at): byte for at, byte in enumerate(others)}


_ALPHABET: Final = byte_alphabet()


class TokenBytes:
    """Says what a token's text in the vocabulary stands for. Raises `EngineFault` for a decoder it does not know."""

    def __init__(self, decoder: Mapping[str, Any] | None) -> None:
        self._replace: list[_Step] = []
        self._falls_back = self._byte_level = False
        for step in _steps(decoder):
            self._add(step)

    def of(self, token: str) -> bytes:
        """The bytes of the token that has this text in the vocabulary."""
        if self._falls_back and (byte := _BYTE.fullmatch(token)):
            return bytes([int(byte[1], 16)])
        for replace in self._replace:
            token = replace(token)
        if self._byte_level and all(character in _ALPHABET for character in token):
            return bytes(_ALPHABET[character] for character in token)
        return token.encode("utf-8", "replace")

    def _add(self, step: Mapping[str, Any]) -> None:
        kind = step.get("type")
        if kind in _SILENT:
            return
        if kind == "ByteLevel":
            self._byte_level = True
        elif kind == "ByteFallback":
            self._falls_back = True
        elif kind == "Metaspace":
            self._replace.append(_replacing(step.get("replacement", "▁"), " "))
        elif kind == "Replace" and isinstance(pattern := step.get("pattern", {}).get("String"), str):
            self._replace.append(_replacing(pattern, str(step.get("content", ""))))
        else:
            raise EngineFault(
                f"the tokenizer's decoder has a step of the kind {kind}, which is not known here: the model cannot "
                "be served through this engine"
            )


def _steps(decoder: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    if decoder is None:
        return ()
    if decoder.get("type") == "Sequence":
        return cast("list[Mapping[str, Any]]", decoder.get("decoders", []))
    return (decoder,)


def _replacing(pattern: str, content: str) -> _Step:
    return lambda token: token.replace(pattern, content)
