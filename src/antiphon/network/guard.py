"""Where the server may go: URLs and DNS answers, judged without touching the network.

A URL is read here once, strictly, and what was read is what is connected to; no second parser gets to see another
host in the same text. Names of the inside: RFC 6761, RFC 6762 appendix G, RFC 8375, and ICANN's `.internal`.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal
from urllib.parse import quote, urljoin

import idna

from antiphon.config import AllowedHost
from antiphon.network.addresses import OWNERS, Address, kind_of
from antiphon.ports.fetch import NotAllowed, NotHttps

LONGEST_URL: Final = 8192
_PORTS: Final = {"https": 443, "http": 80}
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_URL: Final = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*):(?://(?P<authority>[^/?#]*))?(?P<rest>[^#]*)(?:#.*)?")
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\[\]@]*\]|[^\[\]:@]*)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
# C0 and C1 controls, every kind of space, the backslash, invisible marks, and halves of surrogate pairs.
_FORBIDDEN: Final = re.compile(
    r"[\x00-\x20\x7f-\xa0\\\s\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]"
)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_INSIDE: Final = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
)
_KEPT_IN_PATH: Final = "/?%!$&'()*+,;=:@-._~[]"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to fetch, as the guard read it.

    `host`: an ASCII name in lower case, or an address in its one canonical spelling, without brackets. `path`:
    percent-encoded, with the query. `owned`: the owner vouches for this scheme, host and port.
    """

    scheme: Literal["https", "http"]
    host: str
    port: int
    path: str = "/"
    owned: bool = False

    @property
    def origin(self) -> str:
        """Scheme, host and port; the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def url(self) -> str:
        """The URL in canonical form, without fragment."""
        return self.origin + self.path

    @property
    def is_address(self) -> bool:
        """Whether `host` is an address, so that there is nothing to resolve."""
        return ":" in self.host or self.host.rpartition(".")[2].isdigit()


class Guard:
    """The judge of URLs, redirects and addresses. `allowed`: what the owner vouches for."""

    def __init__(self, allowed: Collection[AllowedHost] = ()) -> None:
        self._allowed = frozenset(allowed)

    def target(self, url: str) -> Target:
        """What the URL points at.

        Raises `NotHttps` for another scheme that the owner did not allow, `NotAllowed` for everything else that is
        not a plain URL of a public host. Reasons name the host at most: a path may hold a secret.
        """
        _check_text(url)
        match = _URL.fullmatch(url)
        if match is None:
            raise NotAllowed("not a URL")
        scheme = _scheme(match["scheme"])
        if not match["authority"]:
            raise NotAllowed("the URL names no host")
        host, port = _read_authority(match["authority"])
        port = _PORTS[scheme] if port is None else port
        owned = AllowedHost(scheme, host, port) in self._allowed
        target = Target(scheme, host, port, _path(match["rest"]), owned)
        if not owned:
            _check_public(target)
        if target.is_address:
            self.check(target, [host])
        return target

    def redirected(self, target: Target, location: str) -> Target:
        """Where a redirect of the target leads, judged as any URL is; never from https to http."""
        _check_text(location)
        try:
            # What begins with a scheme stands alone: joined, `https:/10.0.0.1` would be a path of this host.
            found = self.target(location if _SCHEME.match(location) else urljoin(target.url, location))
        except NotHttps as problem:
            raise NotAllowed(f"{target.origin} redirects to another scheme: {problem.reason}") from None
        except ValueError:
            raise NotAllowed(f"{target.origin} redirects to what is no URL") from None
        if target.scheme == "https" and found.scheme != "https":
            raise NotAllowed(f"{target.origin} redirects from https to http")
        return found

    def check(self, target: Target, answers: Sequence[str]) -> tuple[str, ...]:
        """The addresses to connect to, out of those that a resolver answered for the target.

        One that is refused spoils them all: a public name does not have an inner address by accident.
        """
        if not answers:
            raise NotAllowed(f"{target.origin} has no address")
        return tuple(str(self._judged(target, answer)) for answer in answers)

    def _judged(self, target: Target, answer: str) -> Address:
        try:
            address = ip_address(answer)
        except ValueError:
            raise NotAllowed(f"{target.origin} has an address that is none: {answer[:60]!r}") from None
        kind = kind_of(address)
        if kind != "public" and not (target.owned and kind in OWNERS):
            hint = "" if target.owned or kind not in OWNERS else "; name it in allow_hosts if it is yours"
            raise NotAllowed(f"{target.origin} is at {address}, which is not public ({kind}){hint}")
        return address


def _check_text(text: str) -> None:
    if len(text) > LONGEST_URL:
        raise NotAllowed(f"the URL is longer than {LONGEST_URL} characters")
    if _FORBIDDEN.search(text):
        raise NotAllowed("the URL has a space, a control character, an invisible one or a backslash in it")


def _scheme(text: str) -> Literal["https", "http"]:
    match text.lower():
        case "https":
            return "https"
        case "http":
            return "http"
        case other:
            raise NotHttps(f"the scheme is {other[:20]}")


def _read_authority(authority: str) -> tuple[str, int | None]:
    """The canonical host, and the port where one is written."""
    if "@" in authority:
        raise NotAllowed("the URL carries a user name or a password")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise NotAllowed("the URL's host or port cannot be read")
    port = None if match["port"] is None else int(match["port"])
    if port is not None and not 0 < port < 65_536:
        raise NotAllowed(f"there is no port {port}")
    host = match["host"]
    return (_v6(host[1:-1]) if host.startswith("[") else _name(host)), port


def _v6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise NotAllowed("what stands in the brackets is not an IPv6 address") from None
    if address.scope_id is not None:
        raise NotAllowed("an address with a zone is of this machine's own network")
    return str(address)


def _name(text: str) -> str:
    """A host name in ASCII and lower case, or a dotted quad; ways of writing an address that only some resolvers
    know (octal, hexadecimal, fewer than four numbers) are refused, whatever they mean."""
    if len(text) > 253 or "%" in text:
        raise NotAllowed("the URL's host is too long, or has a percent sign in it")
    name = text.lower()
    if not name.isascii():
        try:
            # Strict: no other dots than dots, and no letters that stand for other letters.
            name = idna.encode(name, strict=True).decode("ascii")
        except idna.IDNAError:
            raise NotAllowed("the URL's host is not an internationalized name") from None
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise NotAllowed("the URL's host is not a host name")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ip_address(name))
        except ValueError:
            raise NotAllowed("the URL's host is an address in a spelling that is not taken") from None
    return name


def _path(rest: str) -> str:
    path, mark, query = rest.partition("?")
    return quote((path or "/") + mark + query, safe=_KEPT_IN_PATH)


def _check_public(target: Target) -> None:
    """What holds for every host that the owner does not vouch for."""
    if target.scheme != "https":
        raise NotHttps(f"{target.origin} is not https")
    if target.port != _PORTS["https"]:
        raise NotAllowed(f"{target.origin}: port {target.port} is not {_PORTS['https']}")
    if target.is_address:
        return
    if "." not in target.host:
        raise NotAllowed(f"{target.origin}: a name without a dot is of the inside")
    for suffix in _INSIDE:
        if target.host.endswith(f".{suffix}"):
            raise NotAllowed(f"{target.origin}: names in .{suffix} are of the inside")
