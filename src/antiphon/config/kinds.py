"""What an option's value may be. A kind turns text (flags, environment) and TOML values into the value, and says
what it wants when it cannot: `ValueError`, whose text goes on after the offending value."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import isfinite
from typing import Any, Final, Generic, Literal, Protocol, Self, TypeVar

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"0", "false", "no", "off"})
NONE = "none"
"""How a setting asks for nothing where silence would ask for something."""

_ADDRESS: Final = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::[0-9]{1,5})?(?:/[!-~]*)?", re.ASCII)
_ORIGIN: Final = re.compile(r"(?:(https?)://)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?/?", re.ASCII)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_PORTS: Final = {"https": 443, "http": 80}

Member = TypeVar("Member")


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


class TextKind(ABC):
    """A kind whose value is a text, wherever it is said."""

    __slots__ = ()

    def from_text(self, text: str) -> str:
        return self.from_toml(text)

    @abstractmethod
    def from_toml(self, value: Any) -> str:
        """The text as it is kept; ValueError with a reason."""


class ListKind(ABC, Generic[Member]):
    """A kind whose value is a list; commas stand between its members in a text."""

    __slots__ = ()

    def from_text(self, text: str) -> tuple[Member, ...]:
        return self.from_toml([part for part in text.split(",") if part.strip()])

    @abstractmethod
    def from_toml(self, value: Any) -> tuple[Member, ...]:
        """The members, each once; ValueError with a reason."""


@dataclass(frozen=True, slots=True)
class Texts(ListKind[str]):
    """Texts that are not empty, at least one."""

    wanted: str
    metavar: str

    def from_toml(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(f"the value is not {self.wanted}")
        written: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - a TOML array
        if not all(isinstance(each, str) and each for each in written):
            raise ValueError(f"the value is not {self.wanted}")
        return tuple(dict.fromkeys(written))


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
        return f"a number from {self.low:.12g} to {self.high:.12g}"

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
class Choice(TextKind):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return "one of " + ", ".join(self.words)

    @property
    def metavar(self) -> str:
        return "|".join(self.words)

    def from_toml(self, value: Any) -> str:
        if value not in self.words:
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class Text(TextKind):
    """Any text that is not blank."""

    wanted: str = "a text"
    metavar: str = "TEXT"

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
class Secret(TextKind):
    """A key, visible ASCII; an error never quotes it."""

    wanted: str = "a key of visible ASCII characters, without spaces"
    metavar: str = "KEY"

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not value or not all("!" <= char <= "~" for char in value):
            raise ValueError(f"the value is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class Address(TextKind):
    """A base URL, without a slash at its end."""

    wanted: str = "an address such as http://127.0.0.1:8888 or https://search.lan/searxng"
    metavar: str = "URL"

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not _ADDRESS.fullmatch(value) or "?" in value or "#" in value:
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class Pattern(TextKind):
    """A text of a fixed form."""

    form: re.Pattern[str]
    wanted: str
    metavar: str = "TEXT"

    def from_toml(self, value: Any) -> str:
        if not isinstance(value, str) or not self.form.fullmatch(value):
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        return value


@dataclass(frozen=True, slots=True)
class Host(TextKind):
    """An address or host name to listen on, without scheme or port."""

    wanted: str = "a host name or an address without scheme and port, such as 127.0.0.1, ::1 or 0.0.0.0"
    metavar: str = "ADDRESS"

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


@dataclass(frozen=True, slots=True)
class Folders(ListKind[str]):
    """A list of folders of this machine."""

    wanted: str = "a list of directories"
    metavar: str = "DIR"

    def from_toml(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        written: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - a TOML array
        if wrong := [text for text in written if not isinstance(text, str) or not text.strip()]:
            raise ValueError(f"{shown(wrong[0])} is no directory; the value must be {self.wanted}")
        return tuple(dict.fromkeys(text.strip() for text in written))


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A scheme, host and port that the owner vouches for: it may be private, and is not asked for its robots.txt.

    `host` in lower case, an IPv6 address without brackets.
    """

    scheme: Literal["https", "http"]
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`host`, `host:port`, or either behind `https://` or `http://`; ValueError for anything else."""
        match = _ORIGIN.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(text)
        scheme = "http" if match[1] == "http" else "https"
        port = int(match[3] or _PORTS[scheme])
        if not 0 < port < 65_536:
            raise ValueError(text)
        return cls(scheme, _host(match[2]), port)


@dataclass(frozen=True, slots=True)
class AllowedHosts(ListKind[AllowedHost]):
    """A list of hosts, each with a scheme and a port where it needs them."""

    wanted: str = "a list of hosts such as nas.lan, nas.lan:8443 or http://10.0.0.5:8080"
    metavar: str = "HOST"

    def from_toml(self, value: Any) -> tuple[AllowedHost, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        written: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - a TOML array
        hosts: list[AllowedHost] = []
        for text in written:
            try:
                hosts.append(AllowedHost.parse(text if isinstance(text, str) else ""))
            except ValueError:
                raise ValueError(f"{shown(text)} is no host; the value must be {self.wanted}") from None
        return tuple(dict.fromkeys(hosts))


def _host(text: str) -> str:
    if text.startswith("["):
        return str(IPv6Address(text[1:-1]))
    labels = text.split(".")
    if labels[-1].isdigit():
        return str(IPv4Address(text))
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(text)
    return text
