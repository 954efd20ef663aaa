"""One request as a span, its tools as spans within, and what is measured of it.

Source of all names: OpenTelemetry semantic conventions for GenAI, spans and metrics.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from opentelemetry.metrics import Histogram, Meter
from opentelemetry.trace import Span, StatusCode, Tracer, set_span_in_context

from antiphon.dialogue.events import Begun, Charge, Finish, ReplyEvent, ServerAnswer
from antiphon.ports.tracing import Asks
from antiphon.telemetry.content import Heard, arguments_of, input_messages, system_instructions

OPERATION: Final = {"gen_ai.operation.name": "chat"}
PROVIDER: Final = {"gen_ai.provider.name": "antiphon"}

CANCELLED: Final = "cancelled"
"""The type of error of a reply that its client, or the end of the server, has cut off."""

_DURATION: Final = (*(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28), *(2.56, 5.12, 10.24, 20.48, 40.96, 81.92))
_FIRST: Final = (*(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1), *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0))
_EACH: Final = (*(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2), *(0.3, 0.4, 0.5, 0.75, 1.0, 2.5))

Value = str | int | float | bool | Sequence[str]


@dataclass(frozen=True, slots=True)
class Instruments:
    """What is measured."""

    duration: Histogram
    first: Histogram
    each: Histogram

    @classmethod
    def of(cls, meter: Meter) -> "Instruments":
        """Those of the conventions, with the bounds that these advise."""

        def seconds(name: str, meaning: str, bounds: Sequence[float]) -> Histogram:
            return meter.create_histogram(
                f"gen_ai.server.{name}", "s", meaning, explicit_bucket_boundaries_advisory=bounds
            )

        return cls(
            seconds("request.duration", "From a request to the end of its reply.", _DURATION),
            seconds("time_to_first_token", "From a request to the first of its reply.", _FIRST),
            seconds("time_per_output_token", "Between the tokens of a reply, on average.", _EACH),
        )


class RequestTrace:
    """A `Trace` that is a span."""

    def __init__(self, tracer: Tracer, span: Span, instruments: Instruments, *, content: bool) -> None:
        self._tracer, self._span, self._instruments = tracer, span, instruments
        self._heard = Heard() if content else None
        self._began = monotonic()
        self._asks: Asks | None = None
        self._charge = Charge(0)
        self._first: float | None = None
        self._last = 0.0
        self._tools = False
        self._finish: Finish | None = None
        self._problem: str | None = None

    def asks(self, asks: Asks) -> None:
        """The request can be answered."""
        self._asks, self._charge = asks, Charge(asks.read)
        self._span.update_name(f"chat {asks.named}")
        said: dict[str, Value | None] = {
            "gen_ai.request.model": asks.named,
            "gen_ai.request.max_tokens": asks.max_tokens,
            "gen_ai.request.stream": asks.stream,
            "gen_ai.request.temperature": asks.temperature,
            "gen_ai.request.top_p": asks.top_p,
            "gen_ai.request.top_k": asks.top_k,
            "gen_ai.request.stop_sequences": asks.stop_sequences or None,
        }
        if self._heard is not None:
            said["gen_ai.system_instructions"] = system_instructions(asks.body)
            said["gen_ai.input.messages"] = input_messages(asks.body)
        _tell(self._span, said)

    def happens(self, events: Sequence[ReplyEvent]) -> None:
        """This happens in the reply."""
        if isinstance(events[0], Begun):
            self._charge = events[0].charge
        elif self._first is None:
            self._first = monotonic()
        self._tools = self._tools or any(isinstance(event, ServerAnswer) for event in events)
        if isinstance(events[-1], Finish):
            self._finish, self._last = events[-1], monotonic()
        if self._heard is not None:
            self._heard.hear(events)

    def fails(self, kind: str) -> None:
        """It is answered with an error, or its reply breaks off with one."""
        self._problem = kind

    def tool(self, call_id: str, name: str, arguments: Mapping[str, Any]) -> "ToolSpan":
        """A tool of the server runs for it."""
        said: dict[str, Value | None] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": call_id,
            "gen_ai.tool.type": "extension",
            "gen_ai.tool.call.arguments": None if self._heard is None else arguments_of(arguments),
        }
        span = self._tracer.start_span(f"execute_tool {name}", set_span_in_context(self._span))
        _tell(span, said)
        return ToolSpan(span)

    def end(self, status: int | None) -> None:
        """The request has ended."""
        problem = self._problem
        if problem is None and self._finish is None:
            problem = CANCELLED if status is None or status < 400 else str(status)
        if self._finish is not None and self._asks is not None:
            self._answered(self._asks, self._finish)
        _tell(self._span, {"http.response.status_code": status, "error.type": problem})
        if problem is not None and problem != CANCELLED and (status is None or not 400 <= status < 500):
            self._span.set_status(StatusCode.ERROR)
        self._measure(problem)
        self._span.end()

    def _answered(self, asks: Asks, finish: Finish) -> None:
        charge, output = finish.spent(self._charge)
        said: dict[str, Value | None] = {
            "gen_ai.response.id": asks.reply,
            "gen_ai.response.model": asks.model,
            "gen_ai.response.finish_reasons": (finish.reason,),
            "gen_ai.usage.input_tokens": charge.input + charge.read + charge.written,
            "gen_ai.usage.output_tokens": output,
            "gen_ai.usage.cache_read.input_tokens": charge.read,
            "gen_ai.usage.cache_creation.input_tokens": charge.written,
            "gen_ai.usage.reasoning.output_tokens": finish.thinking_tokens,
        }
        if asks.stream and self._first is not None:
            said["gen_ai.response.time_to_first_chunk"] = self._first - self._began
        if self._heard is not None:
            said["gen_ai.output.messages"] = self._heard.messages(finish.reason)
        _tell(self._span, said)

    def _measure(self, problem: str | None) -> None:
        whose: dict[str, str] = {**OPERATION, **PROVIDER}
        if self._asks is not None:
            # Whatever clients call it: series must not become more without end.
            whose["gen_ai.request.model"] = whose["gen_ai.response.model"] = self._asks.model
        within = set_span_in_context(self._span)
        failed = {} if problem is None else {"error.type": problem}
        self._instruments.duration.record(monotonic() - self._began, {**whose, **failed}, within)
        if problem is not None or self._first is None or self._finish is None:
            return
        self._instruments.first.record(self._first - self._began, whose, within)
        # A tool's time is not the model's.
        if self._finish.output_tokens > 1 and not self._tools:
            self._instruments.each.record(
                (self._last - self._first) / (self._finish.output_tokens - 1), whose, within
            )


class ToolSpan:
    """A `ToolTrace` that is a span."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def end(self, problem: str | None) -> None:
        """The run has ended."""
        if problem is not None:
            self._span.set_attribute("error.type", problem)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def _tell(span: Span, said: Mapping[str, Value | None]) -> None:
    span.set_attributes({name: value for name, value in said.items() if value is not None})
