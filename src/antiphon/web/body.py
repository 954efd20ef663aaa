"""A request's body: bounded, decoded, never trusted."""

import zlib

from starlette.requests import Request

from antiphon.errors import ApiError, InvalidRequest
from antiphon.web.headers import field

_MOST_DIGITS = 18
_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


async def read_json_body(request: Request, limit: int) -> bytes:
    """The body's bytes, decompressed; at most `limit` bytes before and after. Raises `ApiError`."""
    _check_type(request)
    declared = field(request, b"content-length") or ""
    # A number of so many digits is over every limit, and the interpreter refuses to read thousands of them.
    if declared.isdecimal() and (len(declared) > _MOST_DIGITS or int(declared) > limit):
        raise too_large()
    body = bytearray()
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise gone()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise too_large()
    encoding = (field(request, b"content-encoding") or "identity").strip().lower()
    return bytes(body) if encoding in ("identity", "") else _decode(bytes(body), encoding, limit)


def gone() -> ApiError:
    """What nobody hears: the client went away before its request was whole."""
    return ApiError("invalid_request_error", "The client closed the connection.", status=408)


def too_large() -> ApiError:
    """The 413 of a body over the limit."""
    return ApiError("request_too_large", "Request exceeds the maximum size")


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


def _decode(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding not in _WBITS:
        raise InvalidRequest(
            f"content-encoding: {encoding} is not supported; send gzip, deflate or no encoding",
            details={"error_code": "request_body_encoding_unsupported"},
        )
    decoder = zlib.decompressobj(_WBITS[encoding])
    try:
        plain = decoder.decompress(body, limit + 1)
    except zlib.error:
        raise _broken(encoding) from None
    if len(plain) > limit:
        raise ApiError(
            "request_too_large",
            "Request exceeds the maximum size",
            details={"error_code": "request_body_too_large_after_decoding"},
        )
    if not decoder.eof:
        raise _broken(encoding)
    return plain


def _broken(encoding: str) -> InvalidRequest:
    return InvalidRequest(
        f"content-encoding: the request body is not valid {encoding}",
        details={"error_code": "request_body_encoding_invalid"},
    )
