"""What of a batch is judged before it is taken: its items' shape and their ids. What they ask for is judged when they
run.

Source: API reference, Create a Message Batch; recorded errors.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, cast

import msgspec
import orjson

from antiphon.errors import InvalidRequest
from antiphon.request.batches.cutting import REQUESTS, Cutter
from antiphon.request.batches.prefix import prefix_of
from antiphon.words import shown

MOST_REQUESTS: Final = 100_000
LONGEST_ID: Final = 64

_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
_ITEM: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PATTERN: Final = "^[a-zA-Z0-9_-]{1,64}$"


@dataclass(frozen=True, slots=True)
class Row:
    """A request of a batch. `params`: its body as it came. `prefix`: see `prefix_of`."""

    custom_id: str
    params: bytes
    prefix: str


class Envelope:
    """Fed the body of a batch in pieces, gives its requests. The first thing that is wrong with it is the error.

    `most`: bytes that one of them may have. `count`: of the requests so far.
    """

    def __init__(self, most: int) -> None:
        self._cutter = Cutter(most)
        self._ids: set[bytes] = set()
        self.count = 0

    def feed(self, data: bytes) -> Iterator[Row]:
        """The requests that are whole now. Raises `ApiError`."""
        for item in self._cutter.feed(data):
            yield self._row(item)

    def end(self) -> None:
        """The body has ended. Raises `ApiError`."""
        self._cutter.end()
        if not self.count:
            raise InvalidRequest(f"{REQUESTS}: List should have at least 1 item after validation, not 0")

    def _row(self, item: bytes) -> Row:
        number = self.count
        path = f"{REQUESTS}.{number}"
        if number == MOST_REQUESTS:
            raise InvalidRequest(f"{REQUESTS}: List should have at most {MOST_REQUESTS} items after validation")
        fields = _fields(path, item)
        custom_id = self._id(path, fields)
        if "params" not in fields:
            raise InvalidRequest(f"{path}.params: Field required")
        params = _read(f"{path}.params", fields["params"])
        if not isinstance(params, dict):
            raise InvalidRequest(f"{path}.params: Input should be an object")
        extra = next((key for key in fields if key not in ("custom_id", "params")), None)
        if extra is not None:
            raise InvalidRequest(f"{path}.{shown(extra)}: Extra inputs are not permitted")
        self._ids.add(_mark(custom_id))
        self.count += 1
        return Row(custom_id, bytes(fields["params"]), prefix_of(cast("dict[str, Any]", params)))

    def _id(self, path: str, fields: dict[str, msgspec.Raw]) -> str:
        path = f"{path}.custom_id"
        if "custom_id" not in fields:
            raise InvalidRequest(f"{path}: Field required")
        custom_id = _read(path, fields["custom_id"])
        if not isinstance(custom_id, str):
            raise InvalidRequest(f"{path}: Input should be a valid string")
        if len(custom_id) > LONGEST_ID:
            raise InvalidRequest(f"{path}: String should have at most {LONGEST_ID} characters")
        if _ID.fullmatch(custom_id) is None:
            raise InvalidRequest(f"{path}: String should match pattern '{_PATTERN}'")
        if _mark(custom_id) in self._ids:
            raise InvalidRequest(
                f"{REQUESTS}: custom_id's must be unique within a batch. Duplicate custom_id found: {custom_id}"
            )
        return custom_id


def _mark(custom_id: str) -> bytes:
    # A hundred thousand texts of up to 64 characters would take twice the memory.
    return blake2b(custom_id.encode(), digest_size=16).digest()


def _fields(path: str, item: bytes) -> dict[str, msgspec.Raw]:
    """The keys of an item, each with its value's own bytes."""
    if not item.startswith(b"{"):
        _read(path, item)
        raise InvalidRequest(f"{path}: Input should be an object")
    try:
        return _ITEM.decode(item)
    except (msgspec.DecodeError, RecursionError) as broken:
        raise InvalidRequest(f"The request body is not valid JSON: {path}: {broken}") from None


def _read(path: str, value: bytes | msgspec.Raw) -> object:
    try:
        return orjson.loads(memoryview(value))
    except orjson.JSONDecodeError as broken:
        raise InvalidRequest(f"The request body is not valid JSON: {path}: {broken}") from None
