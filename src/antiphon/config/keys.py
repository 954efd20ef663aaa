"""Keys that seal thinking, as people write them down. No error quotes one."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any, Final

from antiphon.config.kinds import ListKind

KEY_BYTES: Final = 32
NEW_KEY: Final = "openssl rand -base64 32"
"""The command that makes one."""


def key_of(text: str) -> bytes:
    """The key that a text spells in base64, of either alphabet, padded or not; ValueError for anything else."""
    letters = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    # Checked here, because the decoder skips letters that base64 has not.
    if not letters.isascii() or not letters.replace("-", "").replace("_", "").isalnum() or len(letters) % 4 == 1:
        raise ValueError("this is not base64")
    key = urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
    if len(key) != KEY_BYTES:
        raise ValueError(f"this is base64 of {len(key)} bytes, not of {KEY_BYTES}")
    return key


def keys_in(text: str) -> tuple[bytes, ...]:
    """The keys of a key file: one a line, `#` begins a comment. ValueError names the line."""
    keys: list[bytes] = []
    for number, line in enumerate(text.splitlines(), 1):
        if said := line.partition("#")[0].strip():
            try:
                keys.append(key_of(said))
            except ValueError as wrong:
                raise ValueError(f"line {number}: {wrong}") from None
    if not keys:
        raise ValueError("there is no key in it")
    return tuple(dict.fromkeys(keys))


@dataclass(frozen=True, slots=True)
class SealingKeys(ListKind[bytes]):
    """Keys of 32 bytes in base64; an error never quotes one."""

    wanted: str = f"a list of keys of {KEY_BYTES} bytes in base64, such as {NEW_KEY} makes"
    metavar: str = "KEY"

    def from_toml(self, value: Any) -> tuple[bytes, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"the value is not {self.wanted}")
        written: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - a TOML array
        keys: list[bytes] = []
        for number, text in enumerate(written, 1):
            try:
                keys.append(key_of(text if isinstance(text, str) else ""))
            except ValueError as wrong:
                raise ValueError(f"key number {number}: {wrong}; the value must be {self.wanted}") from None
        return tuple(dict.fromkeys(keys))
