"""What happens in one process, counted: numbers for those who watch the server, and no word of what was said.

Labels are few by their nature, or bounded here: what a client chooses never makes a new series without end.
"""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, Literal, cast

from antiphon.dialogue.events import Begun, Charge, Finish, ReplyEvent, ServerAnswer

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

    async def follow(
        self, model: str, read: int, happenings: AsyncGenerator[list[ReplyEvent], None]
    ) -> AsyncGenerator[list[ReplyEvent], None]:
        """What happens, counted for the model. `read`: tokens of input that it is charged where nothing else is
        said."""
        charge, pieces, first, ran = Charge(read), 0, None, False
        ended: Finish | None = None
        try:
            async with aclosing(happenings) as batches:
                async for batch in batches:
                    if isinstance(batch[0], Begun):
                        charge = batch[0].charge
                        self._marked(model, charge)
                    elif first is None:
                        first = self._time()
                        self._metrics.first.add(model, first - self._began)
                    for event in batch:
                        if isinstance(event, ServerAnswer):
                            ran = True
                            self._metrics.tools.add(_tool(event), _outcome(event))
                    pieces += len(batch)
                    if isinstance(batch[-1], Finish):
                        ended = batch[-1]
                    yield batch
        finally:
            self._metrics.replies.add(model, "broken" if ended is None else ended.reason)
            if ended is None:
                self._spent(model, charge, pieces)
            else:
                self._ended(model, charge, ended, None if ran else first)

    def _ended(self, model: str, charge: Charge, ended: Finish, first: float | None) -> None:
        self._spent(model, *ended.spent(charge))
        # A tool's time is not the model's.
        if first is not None and ended.output_tokens > 1:
            self._metrics.each.add(model, (self._time() - first) / (ended.output_tokens - 1))

    def _spent(self, model: str, charge: Charge, output: int) -> None:
        kinds = {
            "input": charge.input,
            "output": output,
            "cache_read": charge.read,
            "cache_creation": charge.written,
        }
        for kind, tokens in kinds.items():
            self._metrics.tokens.add(model, kind, by=tokens)

    def _marked(self, model: str, charge: Charge) -> None:
        self._metrics.prompts.add(model, "hit" if charge.read else "miss")


def _tool(event: ServerAnswer) -> str:
    return event.kind.removesuffix("_tool_result")


def _outcome(event: ServerAnswer) -> str:
    content: object = event.content
    code = cast("Mapping[str, Any]", content).get("error_code") if isinstance(content, Mapping) else None
    return code if isinstance(code, str) else "ok"
