"""Who may ask: names that the server goes by, origins of pages in browsers, and proxies."""

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

from antiphon.config.kinds import ListKind, shown

ANY: Final = "*"

_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([^\s/,@*]+?)(?::([0-9]{1,5}))?/?", re.ASCII)
_NAME: Final = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
_PORTS: Final = {"https": "443", "http": "80"}


@dataclass(frozen=True, slots=True)
class Origins(ListKind[str]):
    """A list of origins as browsers write them: a scheme, a host, and a port where it is not the scheme's own."""

    wanted: str = "a list of origins such as https://app.example or http://nas.lan:3000, or *"
    metavar: str = "ORIGIN"

    def from_toml(self, value: Any) -> tuple[str, ...]:
        return _each(value, _origin, self.wanted)


@dataclass(frozen=True, slots=True)
class HostNames(ListKind[str]):
    """A list of names as they stand in a URL, without port; IPv6 addresses in brackets."""

    wanted: str = "a list of host names without ports, such as models.lan, or *"
    metavar: str = "HOST"

    def from_toml(self, value: Any) -> tuple[str, ...]:
        return _each(value, _name, self.wanted)


@dataclass(frozen=True, slots=True)
class Networks(ListKind[str]):
    """A list of addresses and networks."""

    wanted: str = "a list of addresses and networks such as 10.0.0.7, 10.1.0.0/16 or fd00::/8"
    metavar: str = "CIDR"

    def from_toml(self, value: Any) -> tuple[str, ...]:
        return _each(value, _network, self.wanted)


def _each(value: Any, read: Any, wanted: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{shown(value)} is not {wanted}")
    written: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - a TOML array
    found: list[str] = []
    for text in written:
        one = read(text.strip().lower()) if isinstance(text, str) else None
        if one is None:
            raise ValueError(f"{shown(text)} is not fit for it; the value must be {wanted}")
        found.append(one)
    return tuple(dict.fromkeys(found))


def _origin(text: str) -> str | None:
    if text in (ANY, "null"):
        return text
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return None
    scheme, host, port = match.groups()
    return f"{scheme}://{host}" if port in (None, _PORTS.get(scheme)) else f"{scheme}://{host}:{port}"


def _name(text: str) -> str | None:
    return text if text == ANY or _NAME.fullmatch(text) else None


def _network(text: str) -> str | None:
    try:
        return str(ip_network(text))
    except ValueError:
        return None
