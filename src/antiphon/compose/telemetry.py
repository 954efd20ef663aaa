"""Who is told of requests by OpenTelemetry, where the settings name somebody."""

import sys
from contextlib import AsyncExitStack

from antiphon import __version__
from antiphon.compose.observer import StartError
from antiphon.config import Settings
from antiphon.ports.tracing import Tracer


def tracer_for(settings: Settings) -> Tracer | None:
    """Begins traces, until it is closed; None where nobody is told. `StartError`."""
    given = settings.otel
    if given.endpoint is None:
        return None
    try:
        from antiphon.telemetry.otlp import Telemetry  # megabytes, which others need not load
    except ImportError as missing:
        raise StartError(f"otel: {missing}. Run: {sys.executable} -m pip install 'antiphon[otel]'") from missing
    try:
        return Telemetry.to(given.endpoint, given.service_name, __version__, content=given.content)
    except ValueError as problem:  # what the environment says to the SDK
        raise StartError(f"otel: {problem}") from problem


def tracer_in(settings: Settings, running: AsyncExitStack) -> Tracer | None:
    """The same; `running` closes it."""
    tracer = tracer_for(settings)
    if tracer is not None:
        running.push_async_callback(tracer.aclose)
    return tracer
