"""`/metrics`: what happens here, in Prometheus' text format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from antiphon.service.measuring import Gather, Measures
from antiphon.service.metrics import Family, Labels, Sample
from antiphon.web.keys import Gatekeeper

METRICS: Final = "/metrics"
MODEL: Final = "antiphon.model"
"""Where the scope of a request holds which model answers; nothing where that is not known."""

_FORM: Final = "text/plain; version=0.0.4; charset=utf-8"
_ENDPOINTS: Final = {
    "/v1/messages": "messages",
    "/v1/messages/count_tokens": "count_tokens",
    "/v1/messages/batches": "batches",
    "/v1/files": "files",
    "/v1/models": "models",
}
_UNCOUNTED: Final = frozenset({METRICS, "/livez", "/readyz", "/health"})


def endpoint_of(path: str) -> str | None:
    """What a request is counted under; None: those who only look are not counted."""
    if path in _UNCOUNTED:
        return None
    found = _ENDPOINTS.get(path)
    if found is None:
        parts = path.split("/", 4)
        found = _ENDPOINTS.get("/".join(parts[:4])) or _ENDPOINTS.get("/".join(parts[:3]))
    return found or "other"


@dataclass(frozen=True, slots=True)
class MetricsResource:
    """The endpoint. `gather`: asks other processes of this server; None: there are none."""

    measures: Measures
    gatekeeper: Gatekeeper
    gather: Gather | None = None

    async def read(self, request: Request) -> Response:
        """`GET /metrics`"""
        await self.gatekeeper.check_metrics(request)
        own = await self.measures.families()
        told = {"": own} if self.gather is None else await self.gather(own)
        return Response(text_of(told), headers={"content-type": _FORM, "cache-control": "no-store"})


def text_of(told: Mapping[str, Sequence[Family]]) -> str:
    """The text. Series of a worker have its number as a label: where it begins anew, so do its own counters, and no
    others."""
    heads: dict[str, Family] = {}
    lines: dict[str, list[str]] = {}
    for worker, families in told.items():
        own: Labels = (("worker", worker),) if worker else ()
        for family in families:
            heads.setdefault(family.name, family)
            lines.setdefault(family.name, []).extend(_line(family, sample, own) for sample in family.samples)
    text: list[str] = []
    for name, family in heads.items():
        shown = f"{name}_total" if family.kind == "counter" else name
        text += [f"# HELP {shown} {family.meaning}", f"# TYPE {shown} {family.kind}", *lines[name]]
    return "\n".join(text) + "\n"


def _line(family: Family, sample: Sample, own: Labels) -> str:
    labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in (*sample.labels, *own))
    return f"{family.name}{sample.suffix}{{{labels}}} {float(sample.value)!r}"


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
