"""`[tls]`: the certificate that the server shows."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Text
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The files of a certificate and of its key, which may be one; without a certificate the server speaks HTTP."""

    cert: str | None = None
    key: str | None = None


_key = partial(key_of, "tls", TlsSettings())

TLS: Final = Table(
    "tls",
    "HTTPS without a proxy in front. See docs/http.md.",
    TlsSettings,
    (
        _key(
            "cert",
            Text("the path of a file", "FILE"),
            "PEM file with the server's certificate, and those between it and the authority behind it.",
        ),
        _key(
            "key",
            Text("the path of a file", "FILE"),
            "PEM file with the certificate's key, which is not encrypted.",
            unset="the file of the certificate",
        ),
    ),
)
