"""What the application has sent, and how it was answered."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class Headers(Mapping[str, str]):
    """Header fields by their names, whatever their case; of several the last."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = {name.lower(): value for name, value in fields.items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"


@dataclass(slots=True)
class Received:
    """A request. `status`: what it was answered with, 0 until then."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes = field(repr=False)
    status: int = 0

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def key(self) -> str:
        """The key that it was sent with; SDKs send it in one header or the other."""
        return self.headers.get("x-api-key", "") or self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def betas(self) -> tuple[str, ...]:
        """The betas that it names."""
        return tuple(filter(None, (name.strip() for name in self.headers.get("anthropic-beta", "").split(","))))
