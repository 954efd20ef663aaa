"""Server-sent events as engines write them: what each of them holds, out of bytes that are cut anywhere.

Source: the HTML Standard, "Server-sent events"; besides, llama.cpp's server has written errors in a field `error`.
"""

from typing import Final

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of one event; the first one of vLLM's may hold all of a prompt's tokens."""

_FIELDS: Final = frozenset({b"data", b"error"})
_UNREAD: Final = frozenset({b"event", b"id", b"retry"})
_END: Final = b"[DONE]"
_HEAD: Final = b"data: "
# Slices cost less than calls here.
_BEGIN: Final = len(_HEAD)
_LAST: Final = len(_HEAD + _END)
_SHOWN: Final = 80


class BrokenStream(ValueError):  # noqa: N818 - reads as what happened
    """What came is no stream of events. The text is for the owner's log."""


class EventReader:
    """Reads one stream. `over`: the engine has said that nothing more will come."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self.over = False

    def feed(self, data: bytes) -> list[bytes]:
        """The data of the events that are whole now. Raises `BrokenStream`."""
        # How a token usually comes: a whole event, and nothing else.
        if (
            data[:_BEGIN] == _HEAD
            and data[-1:] == b"\n"
            and not (self._rest or self._data or self.over)
            and data.find(b"\n") == len(data) - 2 <= self._most
            and data[_BEGIN:_LAST] != _END
        ):
            return [data[_BEGIN:-2]]
        searched = len(self._rest)
        self._rest += data
        if self._rest.find(b"\n", searched) < 0:
            self._check(len(self._rest))
            return []
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        events: list[bytes] = []
        for line in lines:
            event = self._take(bytes(line.removesuffix(b"\r")))
            if event is not None and not self.over:
                events.append(event)
        self._check(len(rest))
        return events

    def _take(self, line: bytes) -> bytes | None:
        """The event that ends with this line, if one does."""
        if not line:
            if not self._data:
                return None
            event = b"\n".join(self._data)
            self._data, self._size = [], 0
            if event == _END:
                self.over = True
                return None
            return event
        field, colon, value = line.partition(b":")
        if field in _FIELDS and colon:
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)
            self._check(0)
        elif field and field not in _UNREAD:
            raise BrokenStream(f"a line is not of a stream of events: {line[:_SHOWN]!r}")
        return None

    def _check(self, waiting: int) -> None:
        if self._size + waiting > self._most:
            raise BrokenStream(f"an event is longer than {self._most} bytes")
