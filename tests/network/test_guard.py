"""How URLs, redirects and DNS answers are judged."""

import pytest

from antiphon.config import AllowedHost
from antiphon.network.guard import Guard, Target
from antiphon.ports.fetch import FetchFault, NotAllowed, NotHttps

ALLOWED = Guard(
    [AllowedHost.parse(text) for text in ("nas.lan:8443", "http://10.0.0.5:8080", "[fd00::1]", "intranet")]
)

READ: dict[str, tuple[str, Target]] = {
    "a plain URL": ("https://example.com/a.png", Target("https", "example.com", 443, "/a.png")),
    "no path": ("https://example.com", Target("https", "example.com", 443, "/")),
    "no path but a query": ("https://example.com?a=1", Target("https", "example.com", 443, "/?a=1")),
    "capitals": ("HTTPS://EXAMPLE.com/A", Target("https", "example.com", 443, "/A")),
    "a trailing dot": ("https://example.com./a", Target("https", "example.com", 443, "/a")),
    "the scheme's own port": ("https://example.com:443/a", Target("https", "example.com", 443, "/a")),
    "a fragment": ("https://example.com/a#top", Target("https", "example.com", 443, "/a")),
    "a query with everything": (
        "https://example.com/a?u=https://b@c/%20?&d=[e]",
        Target("https", "example.com", 443, "/a?u=https://b@c/%20?&d=[e]"),
    ),
    "an at sign in the path": ("https://example.com/@me", Target("https", "example.com", 443, "/@me")),
    "a path in another script": ("https://example.com/猫.png", Target("https", "example.com", 443, "/%E7%8C%AB.png")),
    "a name in another script": ("https://bücher.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
    "a name in capitals of another script": (
        "https://BÜCHER.example/",
        Target("https", "xn--bcher-kva.example", 443, "/"),
    ),
    "an underscore": ("https://my_bucket.example.com/", Target("https", "my_bucket.example.com", 443, "/")),
    "digits in a name": ("https://1.2.3.4.example.com/", Target("https", "1.2.3.4.example.com", 443, "/")),
    "a public address": ("https://8.8.8.8/", Target("https", "8.8.8.8", 443, "/")),
    "a public IPv6 address": (
        "https://[2606:4700:4700:0:0:0:0:1111]/",
        Target("https", "2606:4700:4700::1111", 443, "/"),
    ),
}
OWNED: dict[str, tuple[str, Target]] = {
    "a host with its port": ("https://NAS.lan:8443/a", Target("https", "nas.lan", 8443, "/a", owned=True)),
    "a private address, plain": ("http://10.0.0.5:8080/", Target("http", "10.0.0.5", 8080, "/", owned=True)),
    "a unique-local address": ("https://[fd00:0::1]/", Target("https", "fd00::1", 443, "/", owned=True)),
    "a bare name": ("https://intranet./", Target("https", "intranet", 443, "/", owned=True)),
}
STILL_REFUSED: dict[str, str] = {
    "another port of an allowed host": "https://nas.lan/",
    "plain http where https is allowed": "http://nas.lan:8443/",
    "https where plain http is allowed": "https://10.0.0.5:8080/",
    "a name below an allowed one": "https://a.intranet/",
    "a name that ends like an allowed one": "https://evil-intranet/",
    "an allowed address in another spelling": "http://0xa.0.0.5:8080/",
    "an allowed address, mapped": "http://[::ffff:10.0.0.5]:8080/",
    "credentials for an allowed host": "https://user@nas.lan:8443/",
}


@pytest.mark.parametrize(("url", "target"), READ.values(), ids=READ)
def test_a_url_is_read_into_its_canonical_parts(url: str, target: Target):
    assert Guard().target(url) == target


@pytest.mark.parametrize(("url", "target"), READ.values(), ids=READ)
def test_a_canonical_url_is_read_as_itself(url: str, target: Target):
    assert Guard().target(target.url) == target


@pytest.mark.promise("network.allow-list")
@pytest.mark.parametrize(("url", "target"), OWNED.values(), ids=OWNED)
def test_what_the_owner_allows_may_be_private(url: str, target: Target):
    assert ALLOWED.target(url) == target


@pytest.mark.promise("network.allow-list")
@pytest.mark.parametrize("url", STILL_REFUSED.values(), ids=STILL_REFUSED)
def test_an_allowance_holds_for_its_scheme_host_and_port_alone(url: str):
    with pytest.raises(FetchFault):
        ALLOWED.target(url)


@pytest.mark.promise("network.allow-list")
@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "100.64.0.1", "192.168.0.1", "fd12::1", "::1", "8.8.8.8"]
)
def test_an_allowed_host_may_be_at_an_address_of_the_inside(address: str):
    assert ALLOWED.check(ALLOWED.target("https://intranet/"), [address]) == (address,)


@pytest.mark.promise("network.allow-list")
@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.1.1", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "fe80::1"],
)
def test_nobody_vouches_for_metadata_and_addresses_of_no_single_host(address: str):
    with pytest.raises(NotAllowed):
        ALLOWED.check(ALLOWED.target("https://intranet/"), [address])


def test_every_answer_of_a_resolver_is_passed_on_in_its_order():
    answers = ["93.184.215.14", "2606:2800:220:1::1", "1.1.1.1"]
    assert Guard().check(Guard().target("https://example.com"), answers) == tuple(answers)


REDIRECTS: dict[str, tuple[str, str]] = {
    "a whole URL": ("https://example.org/b", "https://example.org/b"),
    "a path": ("/b", "https://example.com/b"),
    "a relative path": ("b?c", "https://example.com/dir/b?c"),
    "another host, same scheme": ("//example.org/b", "https://example.org/b"),
}
BAD_REDIRECTS: dict[str, str] = {
    "to http": "http://example.com/",
    "to http of an allowed host": "http://10.0.0.5:8080/",
    "to a file": "file:///etc/passwd",
    "to a private address": "https://10.0.0.1/",
    "to metadata, same scheme": "//169.254.169.254/latest",
    "with credentials": "//user:secret@example.com/",
    "with a backslash": "/\\evil.example/",
    "with one slash": "https:/10.0.0.1/",
    "without slashes": "https:10.0.0.1/",
    "with three slashes": "https:///10.0.0.1/",
    "with a tab in the scheme": "ht\ttps://10.0.0.1/",
    "with an open bracket": "https://[::1/",
    "to another port": "https://example.com:8443/",
}


@pytest.mark.parametrize(("location", "url"), REDIRECTS.values(), ids=REDIRECTS)
def test_a_redirect_is_followed_from_where_it_stands(location: str, url: str):
    assert Guard().redirected(Guard().target("https://example.com/dir/a"), location).url == url


@pytest.mark.promise("network.redirects")
@pytest.mark.parametrize("location", BAD_REDIRECTS.values(), ids=BAD_REDIRECTS)
def test_a_redirect_is_judged_as_any_url_is(location: str):
    with pytest.raises(NotAllowed):
        ALLOWED.redirected(ALLOWED.target("https://example.com/dir/a"), location)


def test_a_redirect_may_go_from_an_allowed_http_host_to_https():
    found = ALLOWED.redirected(ALLOWED.target("http://10.0.0.5:8080/"), "https://example.com/")
    assert found.url == "https://example.com/"


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://example.com/", "data:,a", "file:///etc/passwd"])
def test_another_scheme_is_refused_in_the_words_of_the_api(url: str):
    with pytest.raises(NotHttps) as refused:
        Guard().target(url)
    assert refused.value.message == "Only HTTPS URLs are supported."


@pytest.mark.parametrize(
    "url", ["https://user:hunter2@example.com/", "https://10.0.0.1/?token=hunter2", "https://a b/hunter2"]
)
def test_a_reason_names_no_secret(url: str):
    with pytest.raises(NotAllowed) as refused:
        Guard().target(url)
    assert "hunter2" not in refused.value.reason


def test_a_reason_tells_the_owner_what_to_do():
    with pytest.raises(NotAllowed) as refused:
        Guard().target("https://10.0.0.1/")
    assert refused.value.reason == (
        "https://10.0.0.1 is at 10.0.0.1, which is not public (private); name it in allow_hosts if it is yours"
    )
