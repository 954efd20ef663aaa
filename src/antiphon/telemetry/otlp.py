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
from typing import Final
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

FLUSH: Final = 3.0
"""Seconds that the end of the server waits for a collector."""

_LONG_QUEUE: Final = (256, 64)
"""Spans that wait, and that go together, where each may hold a conversation."""

log = logging.getLogger(__name__)


class Telemetry:
    """A `Tracer` over two providers of the SDK. `content`: conversations are part of the spans."""

    def __init__(self, spans: TracerProvider, measurements: MeterProvider, *, content: bool = False) -> None:
        self._spans, self._measurements, self._content = spans, measurements, content
        self._tracer = spans.get_tracer("antiphon")
        self._instruments = Instruments.of(measurements.get_meter("antiphon"))
        self._carried = TraceContextTextMapPropagator()

    @classmethod
    def to(cls, endpoint: str, service_name: str, version: str, *, content: bool = False) -> "Telemetry":
        """One that brings all to the collector at this address."""
        about = {"service.name": service_name, "service.version": version, "service.instance.id": str(uuid4())}
        resource = Resource.create(about)
        waiting, together = _LONG_QUEUE if content else (None, None)
        spans = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(f"{endpoint}/v1/traces")
        spans.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=waiting, max_export_batch_size=together))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint}/v1/metrics"))
        return cls(spans, MeterProvider([reader], resource, shutdown_on_exit=False), content=content)

    def begin(self, request_id: str, headers: Mapping[str, str]) -> RequestTrace:
        """A request is there."""
        attributes = {**OPERATION, **PROVIDER, "antiphon.request.id": request_id}
        span = self._tracer.start_span(
            "chat", self._carried.extract(headers), kind=SpanKind.SERVER, attributes=attributes
        )
        return RequestTrace(self._tracer, span, self._instruments, content=self._content)

    async def aclose(self) -> None:
        """Bring what is left, in bounded time."""
        ends = (_ended(self._spans.shutdown), _ended(self._measurements.shutdown))
        if not all(await asyncio.gather(*ends)):
            log.warning("otel: the collector did not take all that was left within %g s", FLUSH)


async def _ended(work: Callable[[], object]) -> bool:
    """Whether the work has ended in time. It runs in a thread that the end of the process does not wait for."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended.set)

    Thread(target=run, daemon=True, name="antiphon-otel").start()
    with suppress(TimeoutError):
        async with asyncio.timeout(FLUSH):
            await ended.wait()
    return ended.is_set()
