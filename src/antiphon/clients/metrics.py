"""Reads the metrics of a server, and what happened between two readings."""

import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from antiphon.words import unreached

_LINE: Final = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPES: Final = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
_TIMEOUT: Final = 10.0


class MetricsError(Exception):
    """They cannot be read: the server refuses, or cannot be reached."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read at a moment, in seconds of any clock: values by name, and by labels."""

    at: float
    series: Mapping[str, list[tuple[Mapping[str, str], float]]] = field(
        default_factory=dict[str, list[tuple[Mapping[str, str], float]]]
    )

    def sum(self, name: str, **labels: str) -> float:
        """The sum of all series with these labels."""
        found = self.series.get(name, ())
        return sum(value for said, value in found if labels.items() <= said.items())

    def least(self, name: str, **labels: str) -> float | None:
        """The least of them; None: there are none."""
        found = self.series.get(name, ())
        return min((value for said, value in found if labels.items() <= said.items()), default=None)

    def values_of(self, label: str) -> list[str]:
        """All that a label says, in order."""
        return sorted({said[label] for found in self.series.values() for said, _ in found if said.get(label)})


@dataclass(frozen=True, slots=True)
class Between:
    """What happened from one reading to a later one. Counters that began anew count from zero."""

    before: Reading
    after: Reading

    def more(self, name: str, **labels: str) -> float:
        """By how much a counter grew."""
        old = {tuple(sorted(said.items())): value for said, value in self.before.series.get(name, ())}
        grown = 0.0
        for said, value in self.after.series.get(name, ()):
            if labels.items() <= said.items():
                known = old.get(tuple(sorted(said.items())), 0.0)
                grown += value - known if value >= known else value
        return grown

    def rate(self, name: str, **labels: str) -> float:
        """By how much it grew in a second."""
        seconds = self.after.at - self.before.at
        return self.more(name, **labels) / seconds if seconds > 0 else 0.0

    def mean(self, name: str, **labels: str) -> float | None:
        """What a histogram saw on average; None: nothing."""
        count = self.more(f"{name}_count", **labels)
        return self.more(f"{name}_sum", **labels) / count if count else None


def read(text: str, at: float) -> Reading:
    """What a text in Prometheus' format says."""
    series: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for line in text.splitlines():
        match = None if line.startswith("#") else _LINE.fullmatch(line)
        if match is not None:
            labels = {name: _plain(value) for name, value in _LABEL.findall(match[2] or "")}
            series.setdefault(match[1], []).append((labels, float(match[3])))
    return Reading(at, series)


def scrape(url: str, key: str) -> Reading:
    """What the server at a URL says now. Raises `MetricsError`."""
    request = urllib.request.Request(f"{url.rstrip('/')}/metrics", headers={"authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as reply:
            return read(reply.read().decode(), time.monotonic())
    except urllib.error.HTTPError as problem:
        hint = " (metrics want a key of ANTIPHON_METRICS_KEYS or an admin key)" if problem.code in (401, 403) else ""
        raise MetricsError(f"{url} answers {problem.code}{hint}") from problem
    except OSError as problem:
        raise MetricsError(unreached(url, problem)) from problem
    except ValueError as problem:
        raise MetricsError(f"{url} cannot be read: {problem}") from problem


def _plain(value: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), value)
