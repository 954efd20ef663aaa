"""`[otel]`: who is told of requests by OpenTelemetry."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Address, Switch, Text
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class OtelSettings:
    """`endpoint`: the address of a collector; None: nobody is told. `service_name`: what the server is called there.
    `content`: conversations are told, too."""

    endpoint: str | None = None
    service_name: str = "antiphon"
    content: bool = False


_key = partial(key_of, "otel", OtelSettings())

OTEL: Final = Table(
    "otel",
    "Traces and metrics for a collector of OpenTelemetry. See docs/otel.md.",
    OtelSettings,
    (
        _key(
            "endpoint",
            Address("an address such as http://127.0.0.1:4318 or https://collector.lan"),
            "Where the collector takes OTLP over HTTP, such as http://127.0.0.1:4318, without /v1/traces. Headers "
            "with its keys are read from OTEL_EXPORTER_OTLP_HEADERS.",
            unset="nobody is told",
        ),
        _key("service_name", Text(), "What this server is called there (service.name)."),
        _key(
            "content",
            Switch(),
            "Whether what is said, by clients, models and tools, is part of the traces: everybody who reads them "
            "reads it.",
        ),
    ),
)
