"""How a client has reached the server: by which URL, and from where, as trusted proxies between them say it."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, cast

from starlette.requests import Request

from antiphon.web.headers import field

PROXIES: Final = "antiphon.proxies"
"""Where the scope of a request holds the `Proxies` of the server."""

_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")


class Proxies:
    """Knows who is believed what it says of others: the proxies in these networks."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(network) for network in networks]

    def trust(self, host: str) -> bool:
        """Whether this is the address of one."""
        address = address_of(host)
        return address is not None and any(address in network for network in self._networks)


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a text spells; None where it spells none."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def client_address(request: Request) -> str:
    """Whose request it is: the peer's, or, where that is a trusted proxy, his for whom it asks; empty where nobody
    knows.

    Each proxy adds the one that has called it at the end; the last that is none of them counts, since what stands
    before it anybody may have written.
    """
    address = "" if request.client is None else request.client.host
    said = [each.strip() for line in request.headers.getlist("x-forwarded-for") for each in line.split(",")]
    while said and _trusted(request, address):
        address = said.pop()
    return address


def is_here(request: Request) -> bool:
    """Whether it comes from this very machine: from an address of loopback, and for nobody beyond it."""
    peer = "" if request.client is None else request.client.host
    return is_loopback(peer) and is_loopback(client_address(request))


def is_loopback(host: str) -> bool:
    """Whether this is an address of a machine to itself."""
    address = address_of(host)
    return address is not None and address.is_loopback


def base_url(request: Request) -> str:
    """The URL before the path, without a slash at its end: what a client is told to fetch is under the one it called.

    A trusted proxy says by `x-forwarded-proto`, `-host` and `-prefix` what the client has called it.
    """
    believed = request.client is not None and _trusted(request, request.client.host)
    scheme = _first(request, b"x-forwarded-proto") if believed else ""
    host = (_first(request, b"x-forwarded-host") if believed else "") or field(request, b"host") or ""
    prefix = _first(request, b"x-forwarded-prefix").rstrip("/") if believed else ""
    if scheme not in ("http", "https"):
        scheme = request.scope["scheme"]
    if _HOST.fullmatch(host) is None:
        host = _listening(request)
    return f"{scheme}://{host}{prefix if _PREFIX.fullmatch(prefix) else ''}"


def _trusted(request: Request, host: str) -> bool:
    return cast("Proxies", request.scope[PROXIES]).trust(host)


def _first(request: Request, name: bytes) -> str:
    """What the proxy that is nearest to the client says."""
    return (field(request, name) or "").partition(",")[0].strip()


def _listening(request: Request) -> str:
    host, port = request.scope["server"] or ("localhost", None)
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
