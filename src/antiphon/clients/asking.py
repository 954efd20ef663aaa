"""What clients of the API have in common: how a server says no, and whether it is on this machine."""

from http import HTTPStatus
from typing import Final

import orjson

from antiphon.words import WANTED_KEY

VERSION: Final = "2023-06-01"

PATIENCE: Final = 600.0
"""Seconds without a byte after which a server is given up."""


def refusal(status: int, body: bytes) -> str:
    """Why a server does not do it, in its own words where it has some."""
    try:
        said = str(orjson.loads(body)["error"]["message"])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        said = f"the server answers with status {status}"
    return f"{said}; {WANTED_KEY}" if status == HTTPStatus.UNAUTHORIZED else said


def is_loopback(url: str) -> bool:
    """Whether the URL leads to this machine: a proxy of the environment may stand before other hosts, never there."""
    return url.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:"))
