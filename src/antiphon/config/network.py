"""The settings of the way out to other hosts."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, Literal, Self

from antiphon.config.kinds import shown

_ORIGIN: Final = re.compile(r"(?:(https?)://)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?/?", re.ASCII)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_PORTS: Final = {"https": 443, "http": 80}


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
class AllowedHosts:
    """A list of hosts, each with a scheme and a port where it needs them."""

    wanted: str = "a list of hosts such as nas.lan, nas.lan:8443 or http://10.0.0.5:8080"
    metavar: str = "HOST"

    def from_text(self, text: str) -> tuple[AllowedHost, ...]:
        return self.from_toml([part for part in text.split(",") if part.strip()])

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


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How files are fetched from other hosts. `ca_file`: certificates (PEM) to trust of the allowed hosts, beside the
    system's own. `timeout`: seconds one file may take, all in all."""

    allow_hosts: tuple[AllowedHost, ...] = ()
    ca_file: str | None = None
    timeout: float = 30.0


def _host(text: str) -> str:
    if text.startswith("["):
        return str(IPv6Address(text[1:-1]))
    labels = text.split(".")
    if labels[-1].isdigit():
        return str(IPv4Address(text))
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(text)
    return text
