"""What an owner may write in the list of allowed hosts."""

import pytest

from antiphon.config import AllowedHost

READ: dict[str, AllowedHost] = {
    "nas.lan": AllowedHost("https", "nas.lan", 443),
    "NAS.lan:8443": AllowedHost("https", "nas.lan", 8443),
    "https://nas.lan/": AllowedHost("https", "nas.lan", 443),
    "http://nas.lan": AllowedHost("http", "nas.lan", 80),
    "http://nas.lan:8080": AllowedHost("http", "nas.lan", 8080),
    "localhost:9000": AllowedHost("https", "localhost", 9000),
    "10.0.0.5": AllowedHost("https", "10.0.0.5", 443),
    "[FD00:0::1]:8443": AllowedHost("https", "fd00::1", 8443),
    "xn--bcher-kva.example": AllowedHost("https", "xn--bcher-kva.example", 443),
    " my_bucket.lan ": AllowedHost("https", "my_bucket.lan", 443),
}
NOT_READ = [
    "",
    "ftp://nas.lan",
    "nas.lan/folder",
    "nas.lan?x",
    "user@nas.lan",
    "nas.lan:0",
    "nas.lan:65536",
    "nas.lan:",
    "*.lan",
    "nas..lan",
    "-nas.lan",
    "nas lan",
    "10.0.0",
    "10.0.0.300",
    "[10.0.0.5]",
    "fd00::1",
    "[fd00::1",
    "bücher.example",
    f"{'a' * 64}.lan",
]


@pytest.mark.promise("network.allow-list")
@pytest.mark.parametrize(("text", "host"), READ.items())
def test_an_allowed_host_is_a_host_with_a_port_and_a_scheme(text: str, host: AllowedHost):
    assert AllowedHost.parse(text) == host


@pytest.mark.parametrize("text", NOT_READ)
def test_anything_else_is_not_an_allowed_host(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - the reason is the option's to give
        AllowedHost.parse(text)
