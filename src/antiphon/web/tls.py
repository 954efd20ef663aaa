"""TLS on the server's own connections."""

import ssl
from pathlib import Path


class TlsError(Exception):
    """The certificate cannot be shown. The text says why."""


def tls_context(cert: str, key: str | None) -> ssl.SSLContext:
    """What connections are made with: TLS 1.2 or later, and this certificate. Raises `TlsError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    load(context, cert, key)
    return context


def load(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    """Show this certificate on connections that are made from now on. Raises `TlsError`."""
    key = key or cert
    for file in (cert, key):
        try:
            Path(file).open("rb").close()  # OpenSSL does not say which of them it could not read
        except OSError as problem:
            raise TlsError(f"{file} cannot be read: {problem.strerror}") from problem

    def encrypted() -> str:
        raise TlsError(f"the key in {key} is encrypted; openssl pkey -in {key} writes it down as it is")

    try:
        context.load_cert_chain(cert, key, password=encrypted)
    except ssl.SSLError as problem:
        if problem.reason == "KEY_VALUES_MISMATCH":
            raise TlsError(f"the key in {key} is not that of the certificate in {cert}") from problem
        raise TlsError(f"there must be a certificate in {cert} and its key in {key}, both in PEM form") from problem
