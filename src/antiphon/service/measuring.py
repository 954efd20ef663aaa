"""All that is told of one process to those who watch it: what it has counted, and how its parts stand."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from antiphon import __version__
from antiphon.ports.engine import EngineHealth
from antiphon.ports.stores import StoreError
from antiphon.service.batches.runner import BatchRunner
from antiphon.service.containers import Containers
from antiphon.service.metrics import Family, Labels, Metrics, gauge
from antiphon.service.models import ModelService

log = logging.getLogger(__name__)

Measured = dict[str, list[Family]]
"""What processes tell, by the numbers of workers; empty where there is one process."""

Gather = Callable[[Sequence[Family]], Awaitable[Measured]]
"""Puts what the others tell to what this process does."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Tells of one process. `runner`, `containers`: None where there are none."""

    metrics: Metrics
    models: ModelService
    runner: BatchRunner | None = None
    containers: Containers | None = None

    async def families(self) -> list[Family]:
        """All that there is to tell now."""
        states = await self.models.health()
        about = gauge("antiphon_build_info", "Which release runs.", {(("version", __version__),): 1})
        found = [*self.metrics.families(), *engine_families(states), about]
        if self.runner is not None:
            found.append(_batches(self.runner))
        if self.containers is not None:
            try:
                there = await self.containers.count()
            except StoreError as problem:
                log.warning("metrics: nobody knows how many containers there are: %s", problem)
            else:
                found.append(gauge("antiphon_sandbox_containers", "Containers of this machine.", {(): there}))
        return found


def engine_families(states: dict[str, EngineHealth]) -> list[Family]:
    """How engines stand."""
    up: dict[Labels, float] = {}
    parts: dict[Labels, float] = {}
    kept: dict[Labels, float] = {}
    for model, state in states.items():
        whose = (("model", model),)
        up[whose] = state.ready
        for place in state.parts:
            parts[(*whose, ("endpoint", place))] = place in state.serving
        if state.kept is not None:
            kept[(*whose, ("where", "memory"))] = state.kept.memory
            kept[(*whose, ("where", "files"))] = state.kept.files
    return [
        gauge("antiphon_engine_up", "Whether a model can answer.", up),
        gauge("antiphon_endpoint_up", "Whether an endpoint of a model takes work.", parts),
        waiting({model: state.waiting for model, state in states.items() if state.waiting is not None}),
        gauge("antiphon_prompt_cache_bytes", "What is kept of marked prompts.", kept),
    ]


def waiting(numbers: Mapping[str, int]) -> Family:
    """How many requests wait, by the models that they wait for."""
    values: dict[Labels, float] = {(("model", model),): number for model, number in numbers.items()}
    return gauge("antiphon_engine_waiting", "Requests that wait for an engine.", values)


def _batches(runner: BatchRunner) -> Family:
    depth = runner.depth
    states: dict[Labels, float] = {(("state", state),): number for state, number in depth.items()}
    return gauge(
        "antiphon_batch_requests",
        "Requests of batches: not ended, in the whole database; taken, and running, by this process.",
        states,
    )
