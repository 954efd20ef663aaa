"""What an IP address is good for: a pure judgement, from tables of its own.

`ipaddress.is_global` and its kin do not serve: their answers changed between releases of Python 3.11, 3.12 and 3.13.

Sources: IANA's special-purpose address registries for IPv4 and IPv6; RFC 6052 and 8215 (NAT64), 3056 (6to4),
4380 (Teredo), 5214 (ISATAP), 6598 (carrier-grade NAT); the metadata addresses as cloud providers document them.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, Literal

Address = IPv4Address | IPv6Address

Kind = Literal[
    "public",
    "private",
    "loopback",
    "shared",
    "unique-local",
    "link-local",
    "metadata",
    "embedded IPv4",
    "multicast",
    "documentation",
    "benchmarking",
    "reserved",
]

OWNERS: Final[frozenset[Kind]] = frozenset({"public", "private", "loopback", "shared", "unique-local"})
"""Where a host may be that the owner of the server vouches for. Nobody can vouch for the rest."""

_GLOBAL_V6: Final = ip_network("2000::/3")

# The first row that holds an address says what it is.
_ROWS: Final[tuple[tuple[str, Kind], ...]] = (
    ("169.254.169.254/32", "metadata"),
    ("169.254.170.2/32", "metadata"),
    ("169.254.170.23/32", "metadata"),
    ("100.100.100.200/32", "metadata"),
    ("168.63.129.16/32", "metadata"),
    ("192.0.0.192/32", "metadata"),
    ("fd00:ec2::/32", "metadata"),
    ("fd20:ce::254/128", "metadata"),
    ("fd00:42::42/128", "metadata"),
    ("fe80::a9fe:a9fe/128", "metadata"),
    ("0.0.0.0/8", "reserved"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "reserved"),
    ("192.52.193.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "reserved"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "reserved"),
    ("::1/128", "loopback"),
    ("::/96", "embedded IPv4"),
    ("::ffff:0:0/96", "embedded IPv4"),
    ("::ffff:0:0:0/96", "embedded IPv4"),
    ("64:ff9b::/96", "embedded IPv4"),
    ("64:ff9b:1::/48", "embedded IPv4"),
    ("2001::/32", "embedded IPv4"),
    ("2002::/16", "embedded IPv4"),
    ("2001:2::/48", "benchmarking"),
    ("2001::/23", "reserved"),
    ("2001:db8::/32", "documentation"),
    ("2620:4f:8000::/48", "reserved"),
    ("3fff::/20", "documentation"),
    ("fc00::/7", "unique-local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "reserved"),
    ("ff00::/8", "multicast"),
)
_RANGES: Final[tuple[tuple[IPv4Network | IPv6Network, Kind], ...]] = tuple(
    (ip_network(network), kind) for network, kind in _ROWS
)


def kind_of(address: Address) -> Kind:
    """What the address is for; `public`: globally routable unicast, and nothing else.

    An IPv4 address inside of an IPv6 one is refused whatever it is: a gateway would carry the connection to where
    this table cannot see.
    """
    for network, kind in _RANGES:
        if address.version == network.version and address in network:
            return kind
    if isinstance(address, IPv4Address):
        return "public"
    if address.scope_id is not None:
        return "link-local"
    if address not in _GLOBAL_V6:
        return "reserved"
    return "embedded IPv4" if _is_isatap(address) else "public"


def _is_isatap(address: IPv6Address) -> bool:
    """Whether the lower half is 0000:5efe or 0200:5efe and an IPv4 address (RFC 5214, section 6.1)."""
    return (int(address) >> 32) & 0xFDFF_FFFF == 0x5EFE
