"""What an option's value may be. A kind turns text (flags, environment) and TOML values into the value, and says
what it wants when it cannot: `ValueError`, whose text goes on after the offending value."""

from dataclasses import dataclass
from ipaddress import ip_address
from math import isfinite
from typing import Any, Protocol

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"0", "false", "no", "off"})
NONE = "none"
"""How a setting asks for nothing where silence would ask for something."""


class Kind(Protocol):
    """`wanted` completes "… is not"; `metavar` stands for the value in a command line."""

    @property
    def wanted(self) -> str: ...

    @property
    def metavar(self) -> str: ...

    def from_text(self, text: str) -> Any:
        """The value that a flag or a variable spells; ValueError with a reason."""
        ...

    def from_toml(self, value: Any) -> Any:
        """The value in a TOML file; ValueError with a reason."""
        ...


def shown(value: Any) -> str:
    """A value as an error quotes it: TOML's spelling of true and false, long ones cut."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high` (None = no upper bound)."""

    low: int
    high: int | None = None
    metavar: str = "N"

    @property
    def wanted(self) -> str:
        return f"a whole number from {self.low} " + ("up" if self.high is None else f"to {self.high}")

    def from_text(self, text: str) -> int:
        try:
            return self.from_toml(int(text))
        except ValueError:
            raise ValueError(f"{shown(text)} is not {self.wanted}") from None

    def from_toml(self, value: Any) -> int:
        if type(value) is not int or value < self.low or (self.high is not None and value > self.high):
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`; never NaN or infinite."""

    low: float
    high: float
    metavar: str = "NUMBER"

    @property
    def wanted(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def from_text(self, text: str) -> float:
        try:
            return self.from_toml(float(text))
        except ValueError:
            raise ValueError(f"{shown(text)} is not {self.wanted}") from None

    def from_toml(self, value: Any) -> float:
        if type(value) not in (int, float) or not isfinite(value) or not self.low <= value <= self.high:
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return float(value)


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    wanted: str = "true or false"
    metavar: str = "BOOL"

    def from_text(self, text: str) -> bool:
        word = text.strip().lower()
        if word not in _ON | _OFF:
            raise ValueError(f"{shown(text)} is not {self.wanted}")
        return word in _ON

    def from_toml(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return "one of " + ", ".join(self.words)

    @property
    def metavar(self) -> str:
        return "|".join(self.words)

    def from_text(self, text: str) -> str:
        return self.from_toml(text)

    def from_toml(self, value: Any) -> str:
        if value not in self.words:
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """Any text that is not blank."""

    wanted: str = "a text"
    metavar: str = "TEXT"

    def from_text(self, text: str) -> str:
        return self.from_toml(text)

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class TextOrNone:
    """Any text that is not blank; false, and the words for it, are `none`."""

    wanted: str = "a text, or none"
    metavar: str = "TEXT"

    def from_text(self, text: str) -> str:
        return self.from_toml(False if text.strip().lower() in _OFF else text)

    def from_toml(self, value: Any) -> str:
        if value is False:
            return NONE
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class Host:
    """An address or host name to listen on, without scheme or port."""

    wanted: str = "a host name or an address without scheme and port, such as 127.0.0.1, ::1 or 0.0.0.0"
    metavar: str = "ADDRESS"

    def from_text(self, text: str) -> str:
        return self.from_toml(text)

    def from_toml(self, value: Any) -> str:
        if isinstance(value, str):
            host = value.removeprefix("[").removesuffix("]")
            try:
                return str(ip_address(host))
            except ValueError:
                if host and host.isascii() and all(part.replace("-", "").isalnum() for part in host.split(".")):
                    return host
        raise ValueError(f"{shown(value)} is not {self.wanted}")


@dataclass(frozen=True, slots=True)
class Keys:
    """API keys. They travel in a header, so they are visible ASCII; an error never quotes one."""

    wanted: str = "a list of keys of visible ASCII characters, without spaces and commas"
    metavar: str = "KEY"

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.from_toml([key for part in text.split(",") if (key := part.strip())])

    def from_toml(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"the value is not {self.wanted}")
        keys: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - a TOML array
        for number, key in enumerate(keys, 1):
            if not isinstance(key, str) or not key or not all("!" <= char <= "~" and char != "," for char in key):
                raise ValueError(f"key number {number} is wrong: the value must be {self.wanted}")
        return tuple(dict.fromkeys(keys))
