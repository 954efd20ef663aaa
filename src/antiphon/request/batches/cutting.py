"""The items of `requests` out of a body that comes in pieces: each as its own bytes, and never more than one at once.

A body may have 256 MB, and what a reader of JSON makes of it takes several times that. So items are found by where
strings and brackets begin and end, and only what is between them has to be held; each item is read as JSON later, by
who takes it. What is around them is read here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from antiphon.errors import ApiError, InvalidRequest
from antiphon.words import shown

REQUESTS: Final = "requests"

_BLANK: Final = b" \t\r\n"
_BLANKS: Final = re.compile(rb"[ \t\r\n]*+")
_STRING: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_MARK: Final = re.compile(rb'["{}\[\]]')
_SCALAR: Final = re.compile(rb"[^\s,\]}\"\[{:]+")
_LONGEST_WORD: Final = 1024


_ONWARD: Final[Mapping[tuple[str, bytes], str]] = {
    ("start", b"{"): "key or end",
    ("key or end", b"}"): "over",
    ("comma or end", b"}"): "over",
    ("comma or end", b","): "key",
    ("colon", b":"): "value",
    ("value", b"["): "item or end",
    ("item or end", b"]"): "comma or end",
    ("next or end", b"]"): "comma or end",
    ("next or end", b","): "item due",
}
"""What is expected, and a sign that comes → what is expected behind it."""


class Cutter:
    """Fed a body in pieces of any size, gives the items of its `requests`; `end` says that there is no more.

    Raises `ApiError` where the body is no object with `requests`, and nothing else in it, an array, and where an item
    has more than `most` bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()
        self._at = 0
        self._state = "start"
        self._found = False
        # Inside an item: how many brackets are open, whether a string is, and where the search goes on.
        self._depth = 0
        self._quoted = False
        self._seen = 0

    @property
    def held(self) -> int:
        """The bytes that wait for more."""
        return len(self._held) - self._at

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The items that are whole now."""
        self._held += data
        while True:
            item = self._step()
            if item is None:
                break
            if item:
                yield item
        if self._at:
            del self._held[: self._at]
            self._seen -= self._at
            self._at = 0

    def end(self) -> None:
        """The body has ended."""
        if self._state == "start" and not self._held.strip(_BLANK):
            raise _broken("it is empty")
        if self._state != "over":
            raise _broken("it ends too early")
        if self._held[self._at :].strip(_BLANK):
            raise _broken("there is something behind its end")
        if not self._found:
            raise InvalidRequest(f"{REQUESTS}: Field required")

    def _step(self) -> bytes | None:
        """Go on by one step: an item where one is whole, nothing to go on; None: more of the body is needed."""
        if self._state == "item":
            return self._item()
        self._skip_blank()
        if self._at == len(self._held):
            return None
        if self._state == "over":
            return None
        return self._around(bytes(self._held[self._at : self._at + 1]))

    def _around(self, sign: bytes) -> bytes | None:
        """A sign outside of the items."""
        state = self._state
        if (onward := _ONWARD.get((state, sign))) is not None:
            self._state = onward
            self._at += 1
            return b""
        if state in ("key or end", "key") and sign == b'"':
            return self._key()
        if state in ("item or end", "item due") and sign not in (b",", b":", b"]", b"}"):
            self._state, self._depth, self._quoted, self._seen = "item", 0, False, self._at
            return b""
        if state == "start":
            raise InvalidRequest("The request body should be a JSON object")
        if state == "value":
            raise InvalidRequest(f"{REQUESTS}: Input should be a valid array")
        raise _broken(f"{shown(sign.decode('latin-1'))} stands where it cannot")

    def _key(self) -> bytes | None:
        end = _STRING.match(self._held, self._at + 1)
        assert end is not None
        if end.end() == len(self._held):
            if len(self._held) - self._at > _LONGEST_WORD:
                raise InvalidRequest(f"{shown(self._text(self._at + 1, self._at + 80))}: {_EXTRA}")
            return None
        key = self._text(self._at + 1, end.end())
        if key != REQUESTS:
            raise InvalidRequest(f"{shown(key)}: {_EXTRA}")
        if self._found:
            raise _broken(f"it has {REQUESTS} twice")
        self._found = True
        self._at = end.end() + 1
        self._state = "colon"
        return b""

    def _text(self, start: int, end: int) -> str:
        return self._held[start:end].decode("utf-8", "replace")

    def _item(self) -> bytes | None:
        """Look on for the item's end."""
        held, depth, at = self._held, self._depth, self._seen
        if not depth and not self._quoted and at == self._at and held[at] not in _BEGINS:
            return self._scalar()
        while True:
            if self._quoted:
                string = _STRING.match(held, at)
                assert string is not None
                at = string.end()
                if at == len(held) or held[at] != _QUOTE:
                    break  # a string goes on, or a backslash waits for what it escapes
                at, self._quoted = at + 1, False
            else:
                mark = _MARK.search(held, at)
                if mark is None:
                    at = len(held)
                    break
                sign, at = held[mark.start()], mark.end()
                if sign == _QUOTE:
                    self._quoted = True
                    continue
                depth += 1 if sign in _OPENING else -1
            if depth <= 0:
                return self._whole(at)
        self._check_size(at)
        self._depth, self._seen = depth, at
        return None

    def _scalar(self) -> bytes | None:
        found = _SCALAR.match(self._held, self._at)
        end = len(self._held) if found is None else found.end()
        if end - self._at > _LONGEST_WORD:
            raise _broken("it holds what is no value")
        return None if end == len(self._held) else self._whole(end)

    def _whole(self, end: int) -> bytes:
        self._check_size(end)
        item = bytes(self._held[self._at : end])
        self._at, self._state = end, "next or end"
        return item

    def _check_size(self, end: int) -> None:
        if end - self._at > self._most:
            raise ApiError("request_too_large", "Request exceeds the maximum size")

    def _skip_blank(self) -> None:
        blank = _BLANKS.match(self._held, self._at)
        assert blank is not None
        self._at = blank.end()


_BEGINS: Final = b'{["'
_QUOTE: Final = ord('"')
_OPENING: Final = b"{["
_EXTRA: Final = "Extra inputs are not permitted"


def _broken(how: str) -> InvalidRequest:
    return InvalidRequest(f"The request body is not valid JSON: {how}")
