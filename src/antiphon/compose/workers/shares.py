"""What each worker has of a bound that holds for all of them together.

Workers know nothing of each other's requests. The sum of their shares is the bound, and what a worker does not use is
used by no other.
"""

from dataclasses import replace

from antiphon.config import ConfigError, ModelSettings, Settings


def check_shares(settings: Settings) -> None:
    """Raise `ConfigError` where a bound is too small for every worker to work at all."""
    workers = settings.workers
    for model in settings.models.values():
        most = 0 if model.remote is None else model.remote.endpoint_parallel
        if 0 < most < workers:
            raise ConfigError(
                f"models.{model.id}.endpoint_parallel is {most}, and each of {workers} workers needs 1 at least: set "
                f"it to {workers} or more, or start fewer workers."
            )


def share_of(model: ModelSettings, worker: int, workers: int) -> ModelSettings:
    """The settings of a model at URLs for one of so many workers, counted from 0: its part of every bound."""
    remote = model.remote
    if remote is None:
        return model

    def part(whole: int) -> int:
        return whole // workers + (worker < whole % workers)

    return replace(
        model, queue=part(model.queue), remote=replace(remote, endpoint_parallel=part(remote.endpoint_parallel))
    )
