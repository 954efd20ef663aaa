"""Which pages `allowed_domains` and `blocked_domains` mean."""

import pytest

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.domains import DomainRules
from antiphon.tools.urls import sameness

FITS: list[tuple[str, str, bool]] = [
    ("example.com", "https://example.com/", True),
    ("example.com", "http://EXAMPLE.com./a?b#c", True),
    ("example.com", "https://docs.example.com/a", True),
    ("example.com", "https://a.b.example.com:8443/", True),
    ("example.com", "https://notexample.com/", False),
    ("example.com", "https://example.com.evil.org/", False),
    ("example.com", "https://evil.org/example.com", False),
    ("docs.example.com", "https://example.com/", False),
    ("docs.example.com", "https://api.example.com/", False),
    ("example.com/blog", "https://example.com/blog", True),
    ("example.com/blog", "https://example.com/blog/post-1", True),
    ("example.com/blog/", "https://example.com/blog/post-1?x", True),
    ("example.com/blog", "https://docs.example.com/blog/a", True),
    ("example.com/blog", "https://example.com/blogger", False),
    ("example.com/blog", "https://example.com/", False),
    ("example.com/blog", "https://example.com/%62log/a", True),
    ("example.com/blog", "https://example.com/a/../blog/b", True),
    ("example.com/blog", "https://example.com/blog/../private", False),
    ("example.com/blog", "https://example.com//blog", True),
    ("example.com/*", "https://example.com/anything/at/all", True),
    ("example.com/*/articles", "https://example.com/en/articles/1", True),
    ("example.com/*/articles", "https://example.com/articles", False),
    ("example.com/a.c", "https://example.com/abc", False),
    ("bücher.example", "https://xn--bcher-kva.example/", True),
    ("xn--bcher-kva.example", "https://bücher.example/", True),
    ("localhost", "https://localhost:9000/a", True),
    ("example.com", "ftp://example.com/", False),
    ("example.com", "https://user@example.com/", False),
    ("example.com", "not a url", False),
    ("example.com", "https://example.com\\@evil.org/", False),
]
WRONG = [
    "https://example.com",
    "*.example.com",
    "ex*.com",
    "example.com/*/news/*",
    "example.com:443",
    "",
    "exa mple.com",
    "example..com",
    "-example.com",
    "/blog",
    "example.com/a OR site:evil.org",
    "example.com/a\nb",
    "a" * 64 + ".com",
]


@pytest.mark.promise("web-tools.domains")
@pytest.mark.parametrize(("domain", "url", "fits"), FITS)
def test_an_entry_stands_for_a_host_its_subdomains_and_what_is_below_its_path(domain: str, url: str, fits: bool):
    assert DomainRules.of({"allowed_domains": [domain]}).allow(url) is fits
    blocked = DomainRules.of({"blocked_domains": [domain]})
    # What is no URL of the web is never allowed.
    assert blocked.allow(url) is (not fits and sameness(url) is not None)


@pytest.mark.promise("web-tools.domains")
@pytest.mark.parametrize("domain", WRONG)
@pytest.mark.parametrize("key", ["allowed_domains", "blocked_domains"])
def test_an_entry_of_another_form_is_an_invalid_input(domain: str, key: str):
    with pytest.raises(ToolProblem) as caught:
        DomainRules.of({key: ["example.org", domain]})
    assert caught.value.code == "invalid_tool_input"


def test_without_entries_everything_on_the_web_is_allowed():
    none: list[dict[str, list[str]]] = [{}, {"allowed_domains": []}, {"blocked_domains": []}]
    for settings in none:
        rules = DomainRules.of(settings)
        assert not rules
        assert rules.allow("https://example.com/")
        assert not rules.allow("file:///etc/passwd")


SAME = [
    ("https://example.com", "https://example.com/"),
    ("https://EXAMPLE.com/a", "https://example.com:443/a#part"),
    ("http://example.com:80/a", "https://example.com/a"),
    ("https://bücher.example/", "https://xn--bcher-kva.example"),
    ("https://example.com./", "https://example.com/"),
]
OTHER = [
    ("https://example.com/a", "https://example.com/A"),
    ("https://example.com/a", "https://example.com/a/"),
    ("https://example.com/a?b=1", "https://example.com/a?b=2"),
    ("https://example.com/", "https://example.com:8443/"),
    ("https://example.com/", "https://www.example.com/"),
]


def test_two_spellings_of_one_url_are_the_same_and_two_urls_are_not():
    assert [pair for pair in SAME if sameness(pair[0]) != sameness(pair[1])] == []
    assert [pair for pair in OTHER if sameness(pair[0]) == sameness(pair[1])] == []
    nothing = [
        "",
        "example.com",
        "https://",
        "https://[::1",
        "https://a:b/",
        "https://a@b/",
        "data:,x",
        "https://a\n.b/",
    ]
    assert [url for url in nothing if sameness(url) is not None] == []
