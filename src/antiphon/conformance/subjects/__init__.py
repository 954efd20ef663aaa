"""Every check, a module a subject, and how a server says that it lacks what some of them need."""

from collections.abc import Mapping
from typing import Any, Final

from antiphon.conformance.api import ABSENT, Api, Probe
from antiphon.conformance.asking import Answer
from antiphon.conformance.check import Check, Skipped
from antiphon.conformance.subjects import (
    batches,
    caching,
    counting,
    errors,
    files,
    headers,
    messages,
    models,
    output,
    streaming,
    thinking,
    tools,
    vision,
)
from antiphon.conformance.subjects.words import FORCED

_SUBJECTS: Final = (
    *(messages, streaming, errors, tools, output, thinking, vision, caching),
    *(counting, models, headers, files, batches),
)
CHECKS: Final[tuple[Check, ...]] = tuple(check for module in _SUBJECTS for check in module.SUBJECT.checks)
"""In the order in which they are reported."""


def _path(method: str, path: str, body: Any = None) -> Probe:
    def probe(api: Api) -> None:
        answer = api.look(method, path, body)
        if answer.status in ABSENT:
            raise Skipped(f"there is no {path}: the status is {answer.status}")

    return probe


def _taken(what: str, changes: dict[str, Any]) -> Probe:
    """A request that a server without a capability refuses as a wrong one."""

    def probe(api: Api) -> None:
        answer: Answer = api.post(api.request(changes))
        if answer.status == 400:
            raise Skipped(f"{what}: {answer.short}")

    return probe


_PREFILLED: Final = {
    "messages": [{"role": "user", "content": "Say hello."}, {"role": "assistant", "content": "Hel"}],
}
PROBES: Final[Mapping[str, Probe]] = {
    "count_tokens": _path("POST", counting.PATH, {}),
    "models": _path("GET", models.PATH),
    "files": _path("GET", files.PATH),
    "batches": _path("GET", batches.PATH),
    "prefill": _taken("no prefill", _PREFILLED),
    "forced_tools": _taken("no forced calls", FORCED),
    "structured_outputs": _taken("no structured outputs", output.SHAPED),
    "images": _taken("no pictures", vision.SEEN),
    "thinking": thinking.probe,
    "keys": headers.keys,
}
"""How a server says what it lacks. One that takes a request for a capability has it."""
