"""What happens in one process, counted: numbers for those who watch the server, and no word of what was said.

Labels are few by their nature, or bounded here: what a client chooses never makes a new series without end.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, Literal, cast

from antiphon.dialogue.events import Begun, Charge, Finish, ReplyEvent, ServerAnswer, TextDelta

Labels = tuple[tuple[str, str], ...]
"""Names and values."""

MOST_SERIES: Final = 2000
"""Of one family; what comes beyond is counted under `other`."""
OTHER: Final = "other"

_FIRST: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0, 25.0, 50.0, 100.0)
_EACH: Final = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2)


@dataclass(frozen=True, slots=True)
class Sample:
    """One number. `suffix`: stands behind the family's name."""

    labels: Labels
    value: float
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric, with all of its series. `name`: without the `_total` of counters."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    samples: tuple[Sample, ...]


class Counts:
    """A counter. `names`: of its labels."""

    def __init__(self, name: str, meaning: str, *names: str) -> None:
        self._name, self._meaning, self._names = name, meaning, names
        self._values: dict[tuple[str, ...], float] = {}

    def add(self, *values: str, by: float = 1) -> None:
        """So many more for these labels."""
        if values not in self._values and len(self._values) >= MOST_SERIES:
            values = (OTHER,) * len(values)
        self._values[values] = self._values.get(values, 0) + by

    def family(self) -> Family:
        """All that was counted."""
        samples = [
            Sample(tuple(zip(self._names, values, strict=True)), number, "_total")
            for values, number in self._values.items()
        ]
        return Family(self._name, "counter", self._meaning, tuple(samples))


class Times:
    """A histogram of seconds, for each model."""

    def __init__(self, name: str, meaning: str, bounds: Sequence[float]) -> None:
        self._name, self._meaning, self._bounds = name, meaning, bounds
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def add(self, model: str, seconds: float) -> None:
        """It took so long."""
        counts = self._counts.setdefault(model, [0] * (len(self._bounds) + 1))
        counts[bisect_left(self._bounds, seconds)] += 1
        self._sums[model] = self._sums.get(model, 0.0) + seconds

    def family(self) -> Family:
        """All that was measured."""
        samples: list[Sample] = []
        for model, counts in self._counts.items():
            whose = (("model", model),)
            for bound, below in zip([*map(str, self._bounds), "+Inf"], accumulate(counts), strict=True):
                samples.append(Sample((*whose, ("le", bound)), below, "_bucket"))
            samples += [Sample(whose, self._sums[model], "_sum"), Sample(whose, sum(counts), "_count")]
        return Family(self._name, "histogram", self._meaning, tuple(samples))


def gauge(name: str, meaning: str, values: Mapping[Labels, float]) -> Family:
    """What stands at these values now."""
    return Family(name, "gauge", meaning, tuple(Sample(labels, value) for labels, value in values.items()))


@dataclass(slots=True)
class Metrics:
    """What one process has counted since its start. `open`: requests that are being answered."""

    requests: Counts = field(
        default_factory=lambda: Counts(
            "antiphon_requests",
            "Requests whose reply has begun, by the id of the key that was shown.",
            *("endpoint", "status", "model", "key"),
        )
    )
    replies: Counts = field(
        default_factory=lambda: Counts(
            "antiphon_replies", "Replies that have ended, by how: a stop reason, or broken.", "model", "end"
        )
    )
    tokens: Counts = field(
        default_factory=lambda: Counts("antiphon_tokens", "Tokens of replies, as usage tells them.", "model", "kind")
    )
    prompts: Counts = field(
        default_factory=lambda: Counts(
            "antiphon_prompt_cache_prompts",
            "Prompts with marks for caching, by whether something was read from the cache.",
            *("model", "result"),
        )
    )
    tools: Counts = field(
        default_factory=lambda: Counts(
            "antiphon_server_tool_calls", "Calls of tools that the server runs, by outcome.", "tool", "outcome"
        )
    )
    first: Times = field(
        default_factory=lambda: Times(
            "antiphon_time_to_first_token_seconds", "From a request to the first of its reply.", _FIRST
        )
    )
    each: Times = field(
        default_factory=lambda: Times(
            "antiphon_time_per_output_token_seconds", "Between the tokens of a reply, on average.", _EACH
        )
    )
    open: int = 0

    def families(self) -> list[Family]:
        """All of it."""
        counted = (self.requests, self.replies, self.tokens, self.prompts, self.tools, self.first, self.each)
        now = gauge("antiphon_requests_in_flight", "Requests that are being answered now.", {(): self.open})
        return [*(each.family() for each in counted), now]


class Watch:
    """Sees one reply come about. It begins when the request is there."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._time = asyncio.get_running_loop().time
        self._began = self._time()

    def of(self, model: str, read: int) -> "Watched":
        """What counts a reply of the model. `read`: tokens of input that it is charged where nothing else is said."""
        return Watched(self._metrics, self._time, self._began, model, read)


class Watched:
    """Counts one reply of one model as it comes about, from `began` on."""

    def __init__(self, metrics: Metrics, time: Callable[[], float], began: float, model: str, read: int) -> None:
        self._metrics = metrics
        self._time = time
        self._began = began
        self._model = model
        self._charge = Charge(read)
        self._pieces = 0
        self._first: float | None = None
        self._ran = False
        self._ended: Finish | None = None

    def saw(self, batch: Sequence[ReplyEvent]) -> None:
        """This has happened."""
        if self._first is not None and len(batch) == 1 and isinstance(batch[0], TextDelta):
            # Nearly all that is seen; it is nothing of what is looked for below.
            self._pieces += 1
            return
        if isinstance(batch[0], Begun):
            self._charge = batch[0].charge
            self._metrics.prompts.add(self._model, "hit" if self._charge.read else "miss")
        elif self._first is None:
            self._first = self._time()
            self._metrics.first.add(self._model, self._first - self._began)
        for event in batch:
            if isinstance(event, ServerAnswer):
                self._ran = True
                self._metrics.tools.add(_tool(event), _outcome(event))
        self._pieces += len(batch)
        if isinstance(batch[-1], Finish):
            self._ended = batch[-1]

    def over(self) -> None:
        """The reply has ended, whole or not."""
        ended = self._ended
        self._metrics.replies.add(self._model, "broken" if ended is None else ended.reason)
        if ended is None:
            self._spent(self._charge, self._pieces)
            return
        self._spent(*ended.spent(self._charge))
        # A tool's time is not the model's.
        if self._first is not None and not self._ran and ended.output_tokens > 1:
            self._metrics.each.add(self._model, (self._time() - self._first) / (ended.output_tokens - 1))

    def _spent(self, charge: Charge, output: int) -> None:
        add, model = self._metrics.tokens.add, self._model
        add(model, "input", by=charge.input)
        add(model, "output", by=output)
        add(model, "cache_read", by=charge.read)
        add(model, "cache_creation", by=charge.written)


def _tool(event: ServerAnswer) -> str:
    return event.kind.removesuffix("_tool_result")


def _outcome(event: ServerAnswer) -> str:
    content: object = event.content
    code = cast("Mapping[str, Any]", content).get("error_code") if isinstance(content, Mapping) else None
    return code if isinstance(code, str) else "ok"
