"""How a benchmark looks: a bar while it runs, a table at its end, what went wrong, and all of it as data."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from antiphon.clients.evals.cases import Benchmark, Call, Passage
from antiphon.clients.evals.scoring import TOTAL, Outcome, Score, tally

_PLAIN_STEPS: Final = 10
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Run:
    """A measurement: of which model, of how many cases, and what came of those that were asked. `seconds`: the start
    of the model included."""

    label: str
    model: str
    cases: int
    outcomes: tuple[Outcome, ...]
    seconds: float


class CaseProgress:
    """How many cases are done: a bar on a terminal, ten lines elsewhere."""

    def __init__(self, label: str, cases: int, console: Console) -> None:
        self._label = label
        self._cases = cases
        self._console = console
        self._done = 0
        self._right = 0
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self) -> None:
        """The asking begins."""
        if self._console.is_terminal and self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, TextColumn("{task.fields[right]} right"), console=self._console)
            self._bar.start()
            self._bar.add_task(self._label, total=self._cases, right=0)

    def told(self, outcome: Outcome) -> None:
        """One more case is done."""
        self.begin()
        before, self._done = self._done, self._done + 1
        self._right += outcome.is_right
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done, right=self._right)
        elif self._done * _PLAIN_STEPS // self._cases > before * _PLAIN_STEPS // self._cases:
            line = f"{self._label}: {self._done} of {self._cases} cases, {self._right} right"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def heading(benchmark: Benchmark, runs: Sequence[Run]) -> str:
    """What the table shows: of several runs, in which order."""
    return f"antiphon eval {benchmark.name}: {runs[0].model}, {' / '.join(run.label for run in runs)}"


def table(benchmark: Benchmark, runs: Sequence[Run]) -> Table:
    """The scores of each category, and of all; those of several runs side by side in each cell."""
    tallies = [tally(run.outcomes) for run in runs]
    counts = [_count(run.outcomes) for run in runs]
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    shown.add_column("Category", no_wrap=True)
    for name in ("cases", *benchmark.metrics):
        shown.add_column(name.capitalize(), justify="right", no_wrap=True)
    for category in dict.fromkeys(name for scores in tallies for name in scores if name != TOTAL):
        shown.add_row(*_row(category, benchmark, tallies, counts))
    shown.add_section()
    shown.add_row(*_row(TOTAL, benchmark, tallies, counts))
    return shown


def failures(runs: Sequence[Run]) -> Iterator[str]:
    """Each case that went wrong, in a few lines."""
    for run in runs:
        for outcome in run.outcomes:
            if outcome.is_right:
                continue
            case, reply = outcome.case, outcome.reply
            wrong = ", ".join(metric for metric, right in outcome.verdict.items() if not right)
            yield f"\n{case.id} ({case.category}), {run.label}: {wrong}"
            if reply.error:
                yield f"  error: {_cut(reply.error)}"
                continue
            if case.calls is not None:
                yield f"  wanted: {_calls(case.calls)}"
                yield f"  called: {_calls(reply.calls)}"
            if case.says:
                yield f"  wanted to be said: {' | '.join(map(repr, case.says))}"
            yield from _sources(outcome)
            yield f"  said:   {_cut(reply.text)!r}"


def _sources(outcome: Outcome) -> Iterator[str]:
    """What was wanted of sources and deferred tools, and what came."""
    case, reply = outcome.case, outcome.reply
    if case.cites:
        yield f"  wanted to be cited: {_passages(case.cites)}"
        yield f"  cited:  {_passages(reply.cites)}"
    if case.search is not None:
        yield f"  wanted: {case.search.finds or 'no tool'} to be found, {case.search.calls or 'nothing'} to be called"
        yield f"  found:  {', '.join(reply.found) or 'nothing'}, in {reply.searches} searches"
        yield f"  called: {_calls(reply.calls)}"


def results(benchmark: Benchmark, runs: Sequence[Run], version: str) -> dict[str, Any]:
    """Everything, for a program."""
    return {
        "benchmark": benchmark.name,
        "antiphon": version,
        "runs": [
            {
                "label": run.label,
                "model": run.model,
                "complete": len(run.outcomes) == run.cases,
                "seconds": round(run.seconds, 1),
                "scores": {
                    category: {metric: asdict(score) for metric, score in scores.items()}
                    for category, scores in tally(run.outcomes).items()
                },
                "cases": [_case(outcome) for outcome in run.outcomes],
            }
            for run in runs
        ],
    }


def _case(outcome: Outcome) -> dict[str, Any]:
    reply = outcome.reply
    return {
        "id": outcome.case.id,
        "category": outcome.case.category,
        "right": dict(outcome.verdict),
        "calls": [asdict(call) for call in reply.calls],
        "text": reply.text,
        "cites": [asdict(passage) for passage in reply.cites],
        "searches": reply.searches,
        "found": list(reply.found),
        "error": reply.error,
    }


def _row(
    category: str,
    benchmark: Benchmark,
    tallies: Sequence[dict[str, dict[str, Score]]],
    counts: Sequence[dict[str, int]],
) -> Iterator[str]:
    yield category
    yield _beside([str(count.get(category, 0)) for count in counts])
    for metric in benchmark.metrics:
        yield _beside([_share(scores.get(category, {}).get(metric)) for scores in tallies])


def _beside(cells: list[str]) -> str:
    """The runs' cells as one; as many cases, and nothing that applies, are said once."""
    return cells[0] if len(set(cells)) == 1 and not cells[0].endswith("%") else " / ".join(cells)


def _share(score: Score | None) -> str:
    return "–" if score is None else f"{score.right / score.of:.1%}"


def _count(outcomes: Sequence[Outcome]) -> dict[str, int]:
    count = {TOTAL: len(outcomes)}
    for outcome in outcomes:
        count[outcome.case.category] = count.get(outcome.case.category, 0) + 1
    return count


def _calls(calls: Sequence[Call]) -> str:
    return "; ".join(f"{call.name} {json.dumps(call.input, ensure_ascii=False)}" for call in calls) or "nothing"


def _passages(passages: Sequence[Passage]) -> str:
    return "; ".join(f"{passage.source}: {_cut(passage.text)!r}" for passage in passages) or "nothing"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
