"""Spans and measurements to a collector, over HTTP.

Ended spans wait in a queue of bounded length for threads that bring them; a collector that is slow or gone costs
spans, and never a reply. No provider is made the process's own: what libraries would tell by themselves is told to
nobody.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from typing import Any, Final
from uuid import uuid4

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from antiphon.telemetry.request import OPERATION, PROVIDER, Instruments, RequestTrace

FLUSH: Final = 2.5
"""Seconds that the end of the server waits for a collector."""
ABORT: Final = 0.5
"""Seconds more until a collector that takes nothing is left alone."""

_LONG_QUEUE: Final = (256, 64)
"""Spans that wait, and that go together, where each may hold a conversation."""

log = logging.getLogger(__name__)


class Telemetry:
    """A `Tracer` over two providers of the SDK, each with the exporter that brings what it has. `content`:
    conversations are part of the spans."""

    def __init__(
        self,
        spans: tuple[TracerProvider, OTLPSpanExporter],
        measurements: tuple[MeterProvider, Any],
        *,
        content: bool = False,
    ) -> None:
        self._spans, self._measurements, self._content = spans, measurements, content
        self._tracer = spans[0].get_tracer("antiphon")
        self._instruments = Instruments.of(measurements[0].get_meter("antiphon"))
        self._carried = TraceContextTextMapPropagator()

    @classmethod
    def to(cls, endpoint: str, service_name: str, version: str, *, content: bool = False) -> "Telemetry":
        """One that brings all to the collector at this address."""
        about = {"service.name": service_name, "service.version": version, "service.instance.id": str(uuid4())}
        resource = Resource.create(about)
        waiting, together = _LONG_QUEUE if content else (None, None)
        exporter, measured = OTLPSpanExporter(f"{endpoint}/v1/traces"), OTLPMetricExporter(f"{endpoint}/v1/metrics")
        spans = TracerProvider(resource=resource, shutdown_on_exit=False)
        spans.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=waiting, max_export_batch_size=together))
        measurements = MeterProvider([PeriodicExportingMetricReader(measured)], resource, shutdown_on_exit=False)
        return cls((spans, exporter), (measurements, measured), content=content)

    def begin(self, request_id: str, headers: Mapping[str, str]) -> RequestTrace:
        """A request is there."""
        attributes = {**OPERATION, **PROVIDER, "antiphon.request.id": request_id}
        span = self._tracer.start_span(
            "chat", self._carried.extract(headers), kind=SpanKind.SERVER, attributes=attributes
        )
        return RequestTrace(self._tracer, span, self._instruments, content=self._content)

    async def aclose(self) -> None:
        """Bring what is left, in bounded time."""
        ends = (
            _ended(self._spans[0].shutdown, self._spans[1].shutdown),
            _ended(self._measurements[0].shutdown, self._measurements[1].shutdown),
        )
        if not all(await asyncio.gather(*ends)):
            log.warning("otel: the collector did not take all that was left within %g s", FLUSH)


async def _ended(work: Callable[[], object], abort: Callable[[], object]) -> bool:
    """Whether the work has ended in time; else it is aborted. It runs in a thread that the end of the
    process does not wait for."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended.set)

    Thread(target=run, daemon=True, name="antiphon-otel").start()
    if await _within(FLUSH, ended):
        return True
    abort()
    await _within(ABORT, ended)
    return False


async def _within(seconds: float, ended: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ended.wait()
    return ended.is_set()
