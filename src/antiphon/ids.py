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
_LENGTH = 11  # pairs of digits in base 58 that hold 16 bytes


def make_id(prefix: Prefix, entropy: bytes) -> str:
    """`msg_01…`: the prefix, `01`, and 22 base-58 digits of exactly 16 bytes of entropy."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"an id takes {ENTROPY_BYTES} bytes of entropy, not {len(entropy)}")
    number = int.from_bytes(entropy, "big")
    pairs: list[str] = []
    for _ in range(_LENGTH):
        number, pair = divmod(number, len(_PAIRS))
        pairs.append(_PAIRS[pair])
    return f"{prefix}01{''.join(reversed(pairs))}"
