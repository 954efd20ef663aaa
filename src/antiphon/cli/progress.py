"""How a starting server looks: spinner and bar on a terminal, plain lines elsewhere (a log, a pipe, CI).

What happens goes to stderr; the address and what to paste, which someone may want to keep, to stdout.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from antiphon.cli.fit import before_download
from antiphon.cli.machine import memory
from antiphon.cli.said import wrapped
from antiphon.cli.sizes import megabytes
from antiphon.config import Settings
from antiphon.weights.hub import is_model

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID
    from rich.status import Status

    from antiphon.cli.tried import Row
    from antiphon.engines.remote.endpoint import Findings
    from antiphon.weights.description import AdapterDescription

_WIDE = 100
"""Columns from which a download has a bar."""

_PLAIN_STEP = 0.1
"""A plain download line each tenth of the file."""


class ConsoleObserver:
    """A `compose.ServerObserver` that tells a person at a console."""

    def __init__(
        self, settings: Settings, err: Console, out: Console, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._err = err
        self._out = out
        self._now = now
        self._stage = ""
        self._since = 0.0
        self._status: Status | None = None
        self._bar: Progress | None = None
        self._bars: dict[str, TaskID] = {}
        self._told: dict[str, float] = {}
        self._tools: Sequence[str] = ()
        self._tried: dict[str, list[Row]] = {}
        self._told_of: set[str] = set()
        self._announced: set[str] = set()

    def stage(self, text: str) -> None:
        """A step of the start begins; the step before it is done."""
        self._finish_stage()
        self._stage, self._since = text, self._now()
        if self._err.is_terminal:
            self._status = self._err.status(Text(text))
            self._status.start()
        else:
            self._line(f"{text} …")

    def download(self, name: str, done: int, total: int | None) -> None:
        """So much of a file has come; of a model, whether it fits is said first."""
        if name not in self._announced:
            self._announced.add(name)
            if total and done < total and is_model(name):
                self._stop_live()
                self._line(before_download(self._settings, name, total, memory()))
        if not self._err.is_terminal:
            self._plain_download(name, done, total)
            return
        if self._bar is None:
            self._stop_live()
            # Few starts fetch anything.
            from rich.progress import Progress

            self._bar = Progress(*bytes_columns(self._err.width), console=self._err)
            self._bar.start()
        if name not in self._bars:
            self._bars[name] = self._bar.add_task(name, total=total)
        self._bar.update(self._bars[name], completed=done, total=total)

    def found(self, model: str, url: str, findings: "Findings") -> None:
        """What is at one of a model's URLs: a table, or that it is the same as at the first one."""
        from antiphon.cli.tried import rows_of, table_of, titled

        self._stop_live()
        rows = rows_of(findings)
        if self._tried.setdefault(model, rows) == rows and model in self._told_of:
            self._line(f"{url}: {titled(findings)}: the same")
        else:
            self._err.print(table_of(f"{model}: {url}, {titled(findings)}", rows))
        self._told_of.add(model)

    def offering(self, tools: Sequence[str]) -> None:
        """The tools inside the server; they are told once it answers."""
        self._tools = tools

    def listening(self, url: str, model_names: Sequence[str], *, keyed: bool) -> None:
        """The server answers: say where, and give something to paste."""
        self._finish_stage()
        width = self._out.width if self._out.is_terminal else None
        shown = welcome(self._settings, url, model_names, self._tools, keyed=keyed, width=width)
        self._out.print(shown, markup=False, highlight=False, soft_wrap=True)
        self._out.file.flush()

    def draining(self, open_requests: int) -> None:
        """The server has been asked to stop."""
        if open_requests:
            requests = "1 open request" if open_requests == 1 else f"{open_requests} open requests"
            wait = f"{self._settings.drain_timeout:g} s"
            self._line(f"Stopping: {requests} may finish within {wait}. Press Ctrl-C again to stop at once.")
        else:
            self._line("Stopping.")

    def close(self) -> None:
        """Take spinner and bar off the screen, however the start ended."""
        self._stop_live()

    def _finish_stage(self) -> None:
        self._stop_live()
        if self._stage:
            self._line(f"{self._stage}: {self._now() - self._since:.1f} s")
            self._stage = ""

    def _stop_live(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._bars.clear()

    def _plain_download(self, name: str, done: int, total: int | None) -> None:
        share = done / total if total else 0.0
        told = self._told.get(name)
        if told is None or share >= told + _PLAIN_STEP or (total and done >= total > told * total):
            self._told[name] = share
            of = f" of {megabytes(total)} ({share:.0%})" if total else ""
            self._line(f"{name}: {megabytes(done)}{of}")

    def _line(self, text: str) -> None:
        self._err.print(text, markup=False, highlight=False, soft_wrap=True)


def bytes_columns(width: int) -> "list[ProgressColumn]":
    """What is told of bytes that come, in so many columns: a narrow terminal has room for what and how much."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.table import Column

    told = [TextColumn("{task.description}", table_column=Column(overflow="fold"))]
    much = DownloadColumn(table_column=Column(no_wrap=True))
    return [*told, much] if width < _WIDE else [*told, BarColumn(), much, TransferSpeedColumn()]


def adapted(adapter: "AdapterDescription") -> str:
    """What changes a model, in words."""
    scope = ", for tools and thinking" if adapter.for_tools else ""
    return f"with the adapter {adapter.path} ({megabytes(adapter.size_bytes)}, rank {adapter.rank}{scope})"


def welcome(
    settings: Settings,
    url: str,
    model_names: Sequence[str],
    tools: Sequence[str],
    *,
    keyed: bool,
    width: int | None = None,
) -> str:
    """What a person needs once the server answers: the base URL, what is there, one call as curl and in Python.

    `width`: of the terminal, for the sentences; what is to be pasted stays as it is.
    """
    model = model_names[0] if model_names else settings.default_model
    key = "YOUR_KEY" if keyed else "any"
    names = f"{len(model_names)} model names" if len(model_names) != 1 else "1 model name"
    console = f"In a browser: {url}/console\n" if settings.console else ""
    sentences = f"""Antiphon answers at {url}
{settings.default_model} answers for {names}; `antiphon models` lists them. Ctrl-C stops the server.
{_NOBODY if keyed else _EVERYBODY}
{console}Tools inside the server: {", ".join(tools) or "none"}. [server_tools] sets them.
"""
    return f"""
{wrapped(sentences, width)}
From a shell:

curl {url}/v1/messages \\
  -H 'x-api-key: {key}' -H 'anthropic-version: 2023-06-01' \\
  -H 'content-type: application/json' \\
  -d '{{"model": "{model}", "max_tokens": 100,
       "messages": [{{"role": "user", "content": "Why is the sky blue?"}}]}}'

From Python:

from anthropic import Anthropic

client = Anthropic(base_url="{url}", api_key="{key}")
reply = client.messages.create(
    model="{model}",
    max_tokens=100,
    messages=[{{"role": "user", "content": "Why is the sky blue?"}}],
)
print(reply.content[0].text)
"""


_EVERYBODY = "No key is configured: on this machine every key is accepted."
_NOBODY = "Nobody is let in without a key; `antiphon keys add NAME` makes one."
