"""Identifiers with the API's prefixes, made from entropy that the caller brings."""

from typing import Literal

Prefix = Literal[
    "msg_",
    "req_",
    "toolu_",
    "srvtoolu_",
    "mcptoolu_",
    "file_",
    "container_",
    "skill_",
    "skver_",
    "msgbatch_",
    "wrkspc_",
    "apikey_",
    "rl_",
    "rlg_",
]

ENTROPY_BYTES = 16
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [one + two for one in _ALPHABET for two in _ALPHABET]
_BASE = len(_PAIRS)
_FIVE = _BASE**5


def make_id(prefix: Prefix, entropy: bytes) -> str:
    """`msg_01…`: the prefix, `01`, and 22 base-58 digits of exactly 16 bytes of entropy."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"an id takes {ENTROPY_BYTES} bytes of entropy, not {len(entropy)}")
    # Eleven pairs of digits hold 16 bytes. Five of them fit a machine's word, where division is cheap: every request
    # takes an id or two.
    rest, last = divmod(int.from_bytes(entropy, "big"), _FIVE)
    first, middle = divmod(rest, _FIVE)
    return f"{prefix}01{_PAIRS[first]}{_five(middle)}{_five(last)}"


def _five(number: int) -> str:
    number, fifth = divmod(number, _BASE)
    number, fourth = divmod(number, _BASE)
    number, third = divmod(number, _BASE)
    first, second = divmod(number, _BASE)
    return _PAIRS[first] + _PAIRS[second] + _PAIRS[third] + _PAIRS[fourth] + _PAIRS[fifth]
