"""Forms with files in them, read while they come: at no time is more of one in memory than came in one piece.

Source: RFC 7578; the parser is that of Starlette's own forms.
"""

import codecs
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import python_multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from antiphon.errors import InvalidRequest
from antiphon.service.files.form import Form, Part
from antiphon.web.headers import field as header

FORM: Final = "multipart/form-data"

_PLAIN: Final = ("", "binary", "8bit", "7bit")
"""How the bytes of a part may be said to travel."""


def form_of(request: Request, body: AsyncIterator[bytes]) -> Form:
    """The parts of a request's body. Raises `InvalidRequest`, here or where the body is no whole form."""
    encoding = (header(request, b"content-encoding") or "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise InvalidRequest(
            f"content-encoding: {encoding} is not supported for uploads; send no encoding",
            details={"error_code": "request_body_encoding_unsupported"},
        )
    kind, options = parse_options_header(header(request, b"content-type"))
    if kind != FORM.encode():
        said = kind.decode("latin-1")
        raise InvalidRequest(f"content-type: must be {FORM}" + (f", not {said}" if said else ""))
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise InvalidRequest(f"content-type: {FORM} needs a boundary")
    try:
        return _parts(_Parser(boundary), body)
    except FormParserError:
        raise InvalidRequest(f"content-type: the boundary of {FORM} is too long") from None


@dataclass(slots=True)
class _Head:
    """The head of a part, while it is read."""

    fields: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    name: bytes = b""
    value: bytes = b""


_END: Final = object()
_Event = _Head | bytes | object


class _Parser:
    """From pieces of a body to what happens in it: a head, bytes, the end of a part."""

    def __init__(self, boundary: bytes) -> None:
        self.events: deque[_Event] = deque()
        self.over = False
        self._head = _Head()
        self._parser = python_multipart.MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_part_end": lambda: self.events.append(_END),
                "on_header_field": self._name,
                "on_header_value": self._value,
                "on_header_end": self._field,
                "on_headers_finished": lambda: self.events.append(self._head),
                "on_end": self._finish,
            },
        )

    def feed(self, data: bytes) -> None:
        """Take the next piece; raises `FormParserError`."""
        if not self.over:
            self._parser.write(data)

    def _begin(self) -> None:
        self._head = _Head()

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._head.name += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._head.value += data[start:end]

    def _field(self) -> None:
        head = self._head
        head.fields[head.name.lower()] = head.value
        head.name = head.value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.events.append(data[start:end])

    def _finish(self) -> None:
        self.over = True


async def _parts(parser: _Parser, body: AsyncIterator[bytes]) -> Form:
    async def next_event() -> _Event | None:
        while not parser.events:
            # What stands behind the last boundary says nothing, but who does not send it has not sent the whole body.
            data = await anext(body, None)
            if data is None:
                if parser.over:
                    return None
                raise InvalidRequest("The multipart body ends before its last boundary.")
            try:
                parser.feed(data)
            except FormParserError:
                raise InvalidRequest("The request body is not valid multipart/form-data.") from None
        return parser.events.popleft()

    async def chunks() -> AsyncIterator[bytes]:
        while (event := await next_event()) is not _END:
            assert isinstance(event, bytes)
            yield event

    while (head := await next_event()) is not None:
        assert isinstance(head, _Head)
        part = _part(head, chunks())
        yield part
        # What nobody wanted is passed over.
        async for _ in part.chunks:
            pass


def _part(head: _Head, chunks: AsyncIterator[bytes]) -> Part:
    how = head.fields.get(b"content-transfer-encoding", b"").decode("latin-1").strip().lower()
    if how not in _PLAIN:
        raise InvalidRequest(f"content-transfer-encoding: {how} is not supported in forms")
    _, options = parse_options_header(head.fields.get(b"content-disposition", b"").decode("latin-1"))
    return Part(
        _text(options.get(b"name", b"")),
        _unescaped(_text(options.get(b"filename", b""))),
        head.fields.get(b"content-type", b"").decode("latin-1"),
        chunks,
    )


def _text(data: bytes) -> str:
    """UTF-8, as browsers and the SDKs send names; of other bytes each is taken for a character."""
    try:
        return codecs.decode(data, "utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _unescaped(name: str) -> str:
    """A name without the three escapes that the HTML standard gives it in a form."""
    for escape, character in (("%0A", "\n"), ("%0D", "\r"), ("%22", '"')):
        name = name.replace(escape, character)
    return name
