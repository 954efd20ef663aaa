"""A request's body: bounded, decoded, never trusted."""

import zlib
from collections.abc import AsyncGenerator
from typing import Final

from starlette.requests import Request

from antiphon.errors import ApiError, InvalidRequest
from antiphon.web.headers import field

PIECE: Final = 256 * 1024
"""Bytes of a body that are decompressed at once, where it need not be whole."""

_MOST_DIGITS = 18
_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


async def read_json_body(request: Request, limit: int) -> bytes:
    """The body's bytes, decompressed; at most `limit` bytes before and after. Raises `ApiError`."""
    _check_head(request, limit)
    body, more = bytearray(), True
    while more:
        data, more = await _arrived(request)
        body += data
        if len(body) > limit:
            raise too_large()
    encoding = _encoding(request)
    return bytes(body) if encoding is None else _decode(bytes(body), encoding, limit)


async def json_pieces(request: Request, limit: int) -> AsyncGenerator[bytes]:
    """The same as it comes, in pieces of at most `PIECE` bytes where it is compressed. Raises `ApiError`."""
    _check_head(request, limit)
    encoding = _encoding(request)
    decoder = None if encoding is None else zlib.decompressobj(_wbits(encoding))
    taken = given = 0
    async for data in _arriving(request):
        taken += len(data)
        if taken > limit:
            raise too_large()
        if decoder is None or encoding is None:
            yield data
            continue
        while data:
            try:
                plain = decoder.decompress(data, PIECE)
            except zlib.error:
                raise _broken(encoding) from None
            given += len(plain)
            if given > limit:
                raise _too_large_decoded()
            yield plain
            data = decoder.unconsumed_tail
    if decoder is not None and encoding is not None and not decoder.eof:
        raise _broken(encoding)


async def _arriving(request: Request) -> AsyncGenerator[bytes]:
    """The body as the client sends it."""
    more = True
    while more:
        data, more = await _arrived(request)
        yield data


async def _arrived(request: Request) -> tuple[bytes, bool]:
    """The next part of the body, and whether more comes."""
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise gone()
    return message.get("body", b""), message.get("more_body", False)


def gone() -> ApiError:
    """What nobody hears: the client went away before its request was whole."""
    return ApiError("invalid_request_error", "The client closed the connection.", status=408)


def too_large() -> ApiError:
    """The 413 of a body over the limit."""
    return ApiError("request_too_large", "Request exceeds the maximum size")


def _check_head(request: Request, limit: int) -> None:
    """The body is JSON, and no larger than it may be, as far as its head says."""
    _check_type(request)
    declared = field(request, b"content-length") or ""
    # A number of so many digits is over every limit, and the interpreter refuses to read thousands of them.
    if declared.isdecimal() and (len(declared) > _MOST_DIGITS or int(declared) > limit):
        raise too_large()


def _encoding(request: Request) -> str | None:
    """How it is compressed; None: not at all."""
    encoding = (field(request, b"content-encoding") or "identity").strip().lower()
    return None if encoding in ("identity", "") else encoding


def _check_type(request: Request) -> None:
    content_type = field(request, b"content-type")
    if content_type is None or content_type == "application/json":
        return
    kind, _, parameters = content_type.lower().partition(";")
    if kind.strip() != "application/json":
        raise InvalidRequest(f"content-type: must be application/json, not {kind.strip()}")
    name, _, charset = parameters.strip().partition("=")
    if name == "charset" and charset.strip('" ') not in ("utf-8", "utf8", "us-ascii"):
        raise InvalidRequest(
            f"content-type: the charset {charset.strip()} is not supported; send UTF-8",
            details={"error_code": "unsupported_charset"},
        )


def _wbits(encoding: str) -> int:
    if encoding not in _WBITS:
        raise InvalidRequest(
            f"content-encoding: {encoding} is not supported; send gzip, deflate or no encoding",
            details={"error_code": "request_body_encoding_unsupported"},
        )
    return _WBITS[encoding]


def _decode(body: bytes, encoding: str, limit: int) -> bytes:
    decoder = zlib.decompressobj(_wbits(encoding))
    try:
        plain = decoder.decompress(body, limit + 1)
    except zlib.error:
        raise _broken(encoding) from None
    if len(plain) > limit:
        raise _too_large_decoded()
    if not decoder.eof:
        raise _broken(encoding)
    return plain


def _too_large_decoded() -> ApiError:
    return ApiError(
        "request_too_large",
        "Request exceeds the maximum size",
        details={"error_code": "request_body_too_large_after_decoding"},
    )


def _broken(encoding: str) -> InvalidRequest:
    return InvalidRequest(
        f"content-encoding: the request body is not valid {encoding}",
        details={"error_code": "request_body_encoding_invalid"},
    )
