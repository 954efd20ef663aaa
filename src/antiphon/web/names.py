"""Names and addresses that browsers send: in `Host`, and in `Origin`."""

import re
from typing import Final

_LOOPBACK: Final = re.compile(rb"localhost|(?:[a-z0-9_-]+\.)+localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_ORIGIN: Final = re.compile(rb"https?://(.+)")


def name_in(host: bytes) -> bytes:
    """The name in a `Host` field, in lower case, without its port and without the dot of a full name."""
    name = host.strip().lower()
    end = name.rfind(b"]") if name.startswith(b"[") else 0
    if (colon := name.find(b":", end)) >= 0 and name[colon + 1 :].isdigit():
        name = name[:colon]
    return name.removesuffix(b".")


def is_loopback(name: bytes) -> bool:
    """Whether a name can mean nothing but the machine that says it; `*.localhost` is so in every browser."""
    return _LOOPBACK.fullmatch(name) is not None


def is_loopback_origin(origin: bytes) -> bool:
    """Whether a page comes from this machine itself."""
    match = _ORIGIN.fullmatch(origin)
    return match is not None and is_loopback(name_in(match[1]))
