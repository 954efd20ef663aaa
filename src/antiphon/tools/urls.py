"""What is one and the same URL, and what is none."""

from urllib.parse import SplitResult, urlsplit

import idna

_PORTS = {"https": 443, "http": 80}


def web_url(url: str) -> SplitResult | None:
    """The parts of an http or https URL without credentials; None for anything else."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or "\\" in url:
        return None
    return parts if url.isprintable() and " " not in url else None


def host_of(parts: SplitResult) -> str | None:
    """The host in ASCII and lower case, without a dot at its end; None where it is no host name."""
    return ascii_host(parts.hostname or "")


def ascii_host(host: str) -> str | None:
    """A host name in ASCII and lower case, without a dot at its end; None where it is none."""
    host = host.lower().removesuffix(".")
    if host.isascii():
        return host or None
    try:
        return idna.encode(host, strict=True).decode("ascii")
    except idna.IDNAError:
        return None


def sameness(url: str) -> str | None:
    """A text that two spellings of one URL share: fragment, letter case of the host, the scheme's own port, an empty
    path and the choice of http or https make no difference. None for what is no URL of the web."""
    parts = web_url(url)
    host = None if parts is None else host_of(parts)
    if parts is None or host is None:
        return None
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{port}{parts.path or '/'}{query}"
