"""Which addresses are public, range by range and at every border."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.network.addresses import Kind, kind_of

REFUSED: list[tuple[str, Kind]] = [
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
    ("::2/127", "embedded IPv4"),
    ("::ffff:0:0/96", "embedded IPv4"),
    ("::ffff:0:0:0/96", "embedded IPv4"),
    ("64:ff9b::/96", "embedded IPv4"),
    ("64:ff9b:1::/48", "embedded IPv4"),
    ("100::/64", "reserved"),
    ("2001::/32", "embedded IPv4"),
    ("2001:2::/48", "benchmarking"),
    ("2001:10::/28", "reserved"),
    ("2001:20::/28", "reserved"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "embedded IPv4"),
    ("2620:4f:8000::/48", "reserved"),
    ("3fff::/20", "documentation"),
    ("4000::/3", "reserved"),
    ("5f00::/16", "reserved"),
    ("fc00::/8", "unique-local"),
    ("fd00::/16", "unique-local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "reserved"),
    ("ff00::/8", "multicast"),
]
SPECIAL: list[tuple[str, Kind]] = [
    ("169.254.169.254", "metadata"),
    ("169.254.170.2", "metadata"),
    ("169.254.170.23", "metadata"),
    ("100.100.100.200", "metadata"),
    ("168.63.129.16", "metadata"),
    ("192.0.0.192", "metadata"),
    ("fd00:ec2::254", "metadata"),
    ("fd00:ec2::23", "metadata"),
    ("fd20:ce::254", "metadata"),
    ("fd00:42::42", "metadata"),
    ("fe80::a9fe:a9fe", "metadata"),
    ("255.255.255.255", "reserved"),
    ("::127.0.0.1", "embedded IPv4"),
    ("::ffff:127.0.0.1", "embedded IPv4"),
    ("::ffff:8.8.8.8", "embedded IPv4"),
    ("64:ff9b::10.0.0.1", "embedded IPv4"),
    ("64:ff9b::8.8.8.8", "embedded IPv4"),
    ("2002:7f00:1::", "embedded IPv4"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "embedded IPv4"),
    ("2a00:1450:1:2:0:5efe:7f00:1", "embedded IPv4"),
    ("2a00:1450:1:2:200:5efe:10.0.0.1", "embedded IPv4"),
    ("2606:4700::1%eth0", "link-local"),
]
PUBLIC = [
    "1.0.0.0",
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2001:200::",
    "2001:4860:4860::8888",
    "2001:db7:ffff::",
    "2001:db9::",
    "2003::",
    "2606:4700:4700::1111",
    "2a00:1450:4001:810::200e",
    "3ffe:ffff::",
]


@pytest.mark.promise("network.public-addresses")
@pytest.mark.parametrize(("network", "kind"), REFUSED)
def test_both_ends_of_a_special_range_are_of_its_kind(network: str, kind: Kind):
    ends = ip_network(network)
    assert (kind_of(ends[0]), kind_of(ends[-1])) == (kind, kind)


@pytest.mark.promise("network.public-addresses")
@pytest.mark.parametrize(("address", "kind"), SPECIAL)
def test_an_address_with_a_meaning_of_its_own_is_known(address: str, kind: Kind):
    assert kind_of(ip_address(address)) == kind


@pytest.mark.promise("network.public-addresses")
@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_beside_the_special_ranges_is_public(address: str):
    assert kind_of(ip_address(address)) == "public"


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_the_standard_library_calls_special_is_never_public(address: IPv4Address | IPv6Address):
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    assert not (special and kind_of(address) == "public")


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_hides_in_an_ipv6_one(inner: IPv4Address):
    number = int(inner)
    disguises = [
        number,
        0xFFFF << 32 | number,
        0x64_FF9B << 96 | number,
        0x2002 << 112 | number << 80,
        0x2001_0000 << 96 | number ^ 0xFFFF_FFFF,
        0x2A00_1450 << 96 | 0x5EFE << 32 | number,
    ]
    assert "public" not in {kind_of(IPv6Address(disguise)) for disguise in disguises}
