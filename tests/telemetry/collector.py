"""A collector of OpenTelemetry: takes what comes over HTTP, and reads it with the protocol's own messages."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE = 30.0


@dataclass(frozen=True)
class Span:
    """A span that came. `parent`: empty where it has none; `failed`: its status says so."""

    name: str
    id: str
    trace: str
    parent: str
    server: bool
    failed: bool
    said: dict[str, Any]


@dataclass
class Collector:
    """What has come. `raw`: bodies as they were; `keys`: the header of this kind of each. `answers`: set while it
    answers."""

    url: str = ""
    raw: list[bytes] = field(default_factory=list[bytes])
    keys: set[str] = field(default_factory=set[str])
    spans: list[Span] = field(default_factory=list[Span])
    about: dict[str, Any] = field(default_factory=dict[str, Any])
    times: dict[str, list[tuple[dict[str, Any], int]]] = field(
        default_factory=dict[str, list[tuple[dict[str, Any], int]]]
    )
    answers: Event = field(default_factory=Event)

    def span(self, name: str) -> Span:
        """The only one of this name."""
        [found] = [span for span in self.spans if span.name == name]
        return found

    def take(self, path: str, body: bytes) -> None:
        """Read what came."""
        self.raw.append(body)
        if path == "/v1/traces":
            self._spans(body)
        else:
            assert path == "/v1/metrics", path
            self._times(body)

    def _spans(self, body: bytes) -> None:
        told = ExportTraceServiceRequest.FromString(body)
        for resource in told.resource_spans:
            self.about = _values(resource.resource.attributes)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Span(
                            span.name,
                            span.span_id.hex(),
                            span.trace_id.hex(),
                            span.parent_span_id.hex(),
                            span.kind == 2,
                            span.status.code == 2,
                            _values(span.attributes),
                        )
                    )

    def _times(self, body: bytes) -> None:
        told = ExportMetricsServiceRequest.FromString(body)
        for resource in told.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points = metric.histogram.data_points
                    self.times[metric.name] = [(_values(point.attributes), int(point.count)) for point in points]


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def collecting() -> Generator[Collector]:
    """A collector on a port of this machine."""
    collector = Collector()
    collector.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.keys.add(self.headers.get("x-collector-key", ""))
            collector.answers.wait(PATIENCE)
            collector.take(self.path, body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own word
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
