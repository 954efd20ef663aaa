"""The parent's models, as a worker sees them: a line to each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from antiphon.compose.engines import Found

if TYPE_CHECKING:
    from antiphon.engines.llamacpp.lent.attached import AttachedHome
    from antiphon.engines.llamacpp.lent.line import Send


@dataclass(frozen=True, slots=True)
class Told:
    """What the parent tells of a model that it runs. `line`: the name of the line to it, which no other model has,
    also none of the same id; `marker`: see `Home.marker`."""

    line: str
    found: Found
    marker: str


@dataclass(frozen=True, slots=True)
class Lent:
    """A model that the parent runs, for this worker's engine."""

    line: str
    found: Found
    home: "AttachedHome"


class Lines:
    """All of them. `say`: tells the parent."""

    def __init__(self, say: Callable[[dict[str, Any], bytes], None]) -> None:
        self._say = say
        self._open: dict[str, AttachedHome] = {}

    def open(self, told: Mapping[str, Told]) -> dict[str, Lent]:
        """Lines to these models, by whose ids they stand."""
        if not told:  # then this process does without the engine and its HTTP client
            return {}
        from antiphon.engines.llamacpp.lent.attached import AttachedHome

        lent = {
            id_: Lent(one.line, one.found, AttachedHome(self._to(one.line), one.marker)) for id_, one in told.items()
        }
        self._open |= {one.line: one.home for one in lent.values()}
        return lent

    def hear(self, message: dict[str, Any]) -> None:
        """What the parent says on one of them; it may not know yet that this one is closed."""
        home = self._open.get(message["home"])
        if home is not None:
            home.hear(message)

    def close(self, lent: Iterable[Lent]) -> None:
        """No engine uses these any more."""
        for one in lent:
            self._open.pop(one.line, None)

    def _to(self, line: str) -> "Send":
        return lambda message, data: self._say({"home": line, **message}, data)
