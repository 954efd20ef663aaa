"""`antiphon eval tools`, `antiphon eval chat` and `antiphon eval sources`."""

import asyncio
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console

from antiphon import __version__
from antiphon.cli.options import MODEL, load_settings, setting_options
from antiphon.cli.progress import ConsoleObserver
from antiphon.cli.report import CaseProgress, Run, failures, heading, results, table
from antiphon.cli.said import complain
from antiphon.clients.evals.cases import CHAT, SOURCES, TOOLS, Benchmark, Case, CasesError, choose
from antiphon.config import OPTIONS, ConfigError, Settings, ThinkingSettings

if TYPE_CHECKING:
    from antiphon.clients.evals.asking import Asking

Function = TypeVar("Function", bound=Callable[..., Any])

# `--url` is where the server is that is measured.
_MODEL = MODEL - {"urls"}
_OF_A_START = "describes a model to start; --url measures one that runs"


@click.group("eval", short_help="Measure what a model can do, through the Messages API.")
def evaluate() -> None:
    """Measure what a model can do, through the Messages API: calling tools, answering short questions, citing
    and searching for tools.

    Starts the model on a port of its own, and a model that has an adapter twice: with and without it. --url measures
    any server that runs. The exit code is 1 if a case could not be measured.
    """


def _benchmark(function: Function) -> Function:
    """Decorator: the options that all benchmarks share."""
    options = (
        click.option("--url", metavar="URL", help="Measure the server that answers there; --model is its name."),
        click.option(
            "--key", envvar="ANTHROPIC_API_KEY", default="any", help="That server's key. [ANTHROPIC_API_KEY]"
        ),
        click.option("--cases", "path", metavar="FILE", help="Cases of your own, in the format of docs/adapter.md."),
        click.option("--category", "categories", metavar="NAME", multiple=True, help="This category; repeatable."),
        click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N cases, taken evenly from all."),
        click.option("--json", "out", type=click.File("w", "utf-8"), metavar="OUT", help="Write all to a file."),
        click.option("--failures", "show_failures", is_flag=True, help="Print each case that went wrong, and how."),
    )
    for option in reversed(options):
        function = option(function)
    return setting_options(_MODEL)(function)


@evaluate.command(short_help="Whether it calls the right tool, when it should, as it should.")
@_benchmark
@click.pass_context
def tools(ctx: click.Context, **given: Any) -> None:
    """Whether it calls when it should, the right tool, with exact arguments, and uses what comes back."""
    ctx.exit(_measure_or_stop(TOOLS, given))


@evaluate.command(short_help="Whether it answers short questions without tools.")
@_benchmark
@click.pass_context
def chat(ctx: click.Context, **given: Any) -> None:
    """Whether it answers short questions without tools: facts and simple instructions."""
    ctx.exit(_measure_or_stop(CHAT, given))


@evaluate.command(short_help="Whether it cites what it says from and finds the right tool.")
@_benchmark
@click.pass_context
def sources(ctx: click.Context, **given: Any) -> None:
    """Whether it cites what it says from, and finds the right one of many deferred tools."""
    ctx.exit(_measure_or_stop(SOURCES, given))


@dataclass(frozen=True, slots=True)
class _Job:
    """A measurement to be made: its name, and the model to start (None: a server that runs is asked)."""

    label: str
    settings: Settings | None = None


def _measure_or_stop(benchmark: Benchmark, given: Mapping[str, Any]) -> int:
    try:
        return _measure(benchmark, given)
    except KeyboardInterrupt:  # before anything was asked, or for the second time
        return 130


def _measure(benchmark: Benchmark, given: Mapping[str, Any]) -> int:
    """Measure, print what there is, and say how it went: the exit code."""
    cases = _cases(benchmark, given)
    err, out = Console(stderr=True), Console()
    if not out.is_terminal:
        out.width = 120
    runs: list[Run] = []
    code = 0
    for job in _jobs(given):
        run, code = _run(job, benchmark, cases, given, err)
        runs.append(run)
        if code:
            break
    asked = [run for run in runs if run.outcomes]
    if asked:
        out.print(heading(benchmark, asked), markup=False, highlight=False, soft_wrap=True)
        out.print(table(benchmark, asked))
    if given["show_failures"]:
        for line in failures(asked):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    if given["out"] is not None:
        json.dump(results(benchmark, runs, __version__), given["out"], indent=2, ensure_ascii=False)
    errors = sum(bool(outcome.reply.error) for run in runs for outcome in run.outcomes)
    if errors:
        err.print(f"Not measured, and counted as wrong: {errors}. --failures shows why.", highlight=False)
    return code or int(errors > 0)


def _cases(benchmark: Benchmark, given: Mapping[str, Any]) -> tuple[Case, ...]:
    shipped = files("antiphon.clients.evals").joinpath(benchmark.file)
    place = given["path"] or benchmark.file
    try:
        text = Path(given["path"]).read_text("utf-8") if given["path"] else shipped.read_text("utf-8")
        return choose(benchmark.read(text, place), given["categories"], given["limit"])
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{place}: the cases cannot be read: {problem}") from problem
    except CasesError as problem:
        raise ConfigError(str(problem)) from problem


def _jobs(given: Mapping[str, Any]) -> list[_Job]:
    """What is to be measured: a model that has an adapter twice."""
    if given["url"]:
        for name in ("config", *_MODEL - {"model", "parallel"}):
            if given[name] is not None:
                raise ConfigError(f"--{name.replace('_', '-')} {_OF_A_START}")
        return [_Job("measured")]
    # Imported late: see `serve`.
    from antiphon.compose import models

    settings = load_settings(given)
    model = settings.models[settings.default_model]
    alone = replace(
        settings,
        host="127.0.0.1",
        port=0,
        api_keys=(secrets.token_urlsafe(),),
        models={model.id: model},
        routes={},
        thinking=ThinkingSettings(keys=(os.urandom(32),)),
        drain_timeout=1.0,
    )
    (described,) = models.describe_models(alone)
    if described.problem is not None or (described.adapter is None and model.adapter in (None, "none")):
        return [_Job("as it is", alone)]
    without = replace(alone, models={model.id: replace(model, adapter="none")})
    return [_Job("with the adapter", alone), _Job("without it", without)]


def _run(
    job: _Job, benchmark: Benchmark, cases: tuple[Case, ...], given: Mapping[str, Any], err: Console
) -> tuple[Run, int]:
    """One measurement, as far as it came, and the exit code that it asks for."""
    # Imported late: see `serve`.
    from antiphon.clients.evals.asking import Asking, UnreachableError
    from antiphon.compose.observer import StartError

    progress = CaseProgress(job.label, len(cases), err)
    parallel = _parallel(given) if job.settings is None else job.settings.models[job.settings.default_model].parallel
    asking = Asking(cases, benchmark.max_tokens, parallel, progress.told)
    began, problem = time.monotonic(), ""
    model = given["model"] or "" if job.settings is None else job.settings.default_model
    try:
        with progress:
            if job.settings is None:
                model = asyncio.run(_ask_server(asking, given))
            else:
                _ask_own(asking, job.settings, progress, err)
    except (StartError, UnreachableError) as failure:
        problem = str(failure)
    except KeyboardInterrupt:
        asking.interrupted = True
    places = {case.id: place for place, case in enumerate(cases)}
    outcomes = sorted(asking.outcomes, key=lambda outcome: places[outcome.case.id])
    run = Run(job.label, model, len(cases), tuple(outcomes), time.monotonic() - began)
    if asking.interrupted:
        err.print("Interrupted: what follows is what there is.")
        return run, 130
    if problem:
        complain(problem)
        return run, 1
    return run, 0


async def _ask_server(asking: "Asking", given: Mapping[str, Any]) -> str:
    from antiphon.clients.evals.asking import Target, first_model

    url, key = given["url"], given["key"]
    model = given["model"] or await first_model(url, key)
    if not model:
        raise ConfigError(f"--model: {url} has no list of models; say which name to ask for")
    await asking.run(Target(url, key, model))
    return model


def _ask_own(asking: "Asking", settings: Settings, progress: CaseProgress, err: Console) -> None:
    """Start the model, ask it, stop it."""
    from antiphon.clients.evals.asking import Target
    from antiphon.compose import start

    class Observer(ConsoleObserver):
        """Tells of the start; an interrupt ends the asking."""

        def listening(self, url: str, model_names: Any, *, keyed: bool) -> None:
            self._finish_stage()
            progress.begin()

        def draining(self, open_requests: int) -> None:
            asking.interrupt()

    async def work(url: str) -> None:
        await asking.run(Target(url, settings.api_keys[0], settings.default_model))

    observer = Observer(settings, err=err, out=err)
    try:
        start.run_server(settings, observer, work)
    finally:
        observer.close()


def _parallel(given: Mapping[str, Any]) -> int:
    option = next(option for option in OPTIONS if option.name == "parallel")
    try:
        return option.default if given["parallel"] is None else option.kind.from_text(given["parallel"])
    except ValueError as wrong:
        raise ConfigError(f"--parallel: {wrong}") from None
