"""A check: a sentence that holds for every right server whatever its model writes, its source, and its trial."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from antiphon.conformance.api import Api

Trial = Callable[["Api"], None]
Row = tuple[str, str, dict[str, Any]]
"""A name, a sentence, and what is wrong with a request."""


class Failed(Exception):  # noqa: N818 - reads as what happened
    """The server does not keep the sentence. The text says what was seen."""


class Skipped(Exception):  # noqa: N818 - reads as what happened
    """The server lacks what the check is about, and may. The text says how it said so."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `id`: its subject, a dot, and its name. `source`: the section of the API's documents."""

    id: str
    sentence: str
    source: str
    trial: Trial

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.id.partition(".")[0]


class Subject:
    """The checks of one subject, in their order. `needs`: a capability that all of them need."""

    def __init__(self, name: str, source: str, needs: str = "") -> None:
        self.name: Final = name
        self.checks: list[Check] = []
        self._source = source
        self._needs = needs

    def check(self, name: str, sentence: str, *, source: str = "", needs: str = "") -> Callable[[Trial], Trial]:
        """Decorator: the function tries the sentence; it raises `Failed` or `Skipped`."""

        def add(trial: Trial) -> Trial:
            self.add(name, sentence, trial, source=source, needs=needs)
            return trial

        return add

    def add(self, name: str, sentence: str, trial: Trial, *, source: str = "", needs: str = "") -> None:
        """One check more."""
        wanted = [need for need in (self._needs, needs) if need]

        def tried(api: "Api") -> None:
            for need in wanted:
                api.need(need)
            trial(api)

        self.checks.append(Check(f"{self.name}.{name}", sentence, source or self._source, tried))

    def refuses(
        self,
        name: str,
        sentence: str,
        changes: Mapping[str, Any],
        *,
        status: int = 400,
        source: str = "",
        needs: str = "",
    ) -> None:
        """One check more: a request with these changes is refused. A key with `LEFT_OUT` is left out."""
        self.add(name, sentence, lambda api: refused(api, changes, status), source=source, needs=needs)


LEFT_OUT: Final = object()
"""Stands for the value of a key that a request does without."""

TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    413: "request_too_large",
}


def refused(api: "Api", changes: Mapping[str, Any], status: int) -> None:
    """A message's request with these changes is refused with this status and its type."""
    answer = api.post(api.request(changes))
    expect(answer.status == status, f"the status is {answer.status}, not {status}: {answer.short}")
    error = dictionary(dictionary(answer.json).get("error"))
    expect(error.get("type") == TYPES[status], f"error.type is {error.get('type')!r}, not {TYPES[status]!r}")


def expect(holds: bool, otherwise: str) -> None:
    """Raise `Failed` with these words where it does not hold."""
    if not holds:
        raise Failed(otherwise)


def dictionary(value: Any) -> dict[str, Any]:
    """A JSON object. Raises `Failed` for anything else."""
    if not isinstance(value, dict):
        raise Failed(f"this is no JSON object: {str(value)[:200]}")
    return value  # pyright: ignore[reportUnknownVariableType] - out of JSON


def listed(value: Any) -> list[Any]:
    """A JSON array. Raises `Failed` for anything else."""
    if not isinstance(value, list):
        raise Failed(f"this is no JSON array: {str(value)[:200]}")
    return value  # pyright: ignore[reportUnknownVariableType] - out of JSON


def text_of(value: Any, what: str) -> str:
    """A string that is not empty. Raises `Failed` for anything else."""
    if not isinstance(value, str) or not value:
        raise Failed(f"{what} is {value!r}, not a text")
    return value


def count_of(value: Any, what: str, least: int = 0) -> int:
    """A whole number. Raises `Failed` for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Failed(f"{what} is {value!r}, not a whole number of at least {least}")
    return value
