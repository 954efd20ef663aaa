"""Runs the examples of the API's documents as printed, one after another, on a server as a newcomer has it.

python scripts/run_examples.py [--offline] [--config FILE] [--seconds N] [NAME ...]

ANTHROPIC_BASE_URL names a server that runs already; else one is started. Where other hosts cannot be reached, or with
--offline, stand-ins on this machine take their places, and the table at the end says so.
"""

import argparse
import codecs
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "examples"
SECONDS: Final = 600.0
"""That one example may take."""

RUNNING: Final = "ANTHROPIC_BASE_URL"
"""The variable that names a server that runs already."""

_REACHED: Final = 3.0
_LAST_WORDS: Final = 2000
_RULE: Final = 100


@dataclass(frozen=True, slots=True)
class Correction:
    """What an example needs to run at all: `now` where it `was`. `because`: what is raised as printed."""

    was: str
    now: str
    because: str
    says: str


@dataclass(frozen=True, slots=True)
class Example:
    """A block of code of a document. `hosts`: others than the server that it needs. `silent`: it prints nothing."""

    document: str
    section: str
    file: str
    hosts: tuple[str, ...] = ()
    silent: bool = False
    correction: Correction | None = None

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return Path(self.file).stem

    @property
    def text(self) -> str:
        """As printed."""
        return (FOLDER / self.file).read_text("utf-8")

    @property
    def corrected(self) -> str:
        """As it runs."""
        made = self.correction
        return self.text if made is None else self.text.replace(made.was, made.now)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run of a program ended. `wrong`: None, or what went wrong; `printed`: whether it printed anything."""

    wrong: str | None
    printed: bool


@dataclass(slots=True)
class Row:
    """A line of the table."""

    example: Example
    seconds: float = 0.0
    wrong: str | None = None
    remarks: list[str] = field(default_factory=list[str])

    @property
    def told(self) -> str:
        """How it ended, and what there is to know about it."""
        return "; ".join([self.wrong or "ok", *self.remarks])


@dataclass(frozen=True, slots=True)
class Place:
    """Where the examples run: the server, the environment of their programs, the hosts that are stand-ins."""

    url: str
    environment: Mapping[str, str]
    stood_in: frozenset[str]


def examples() -> tuple[Example, ...]:
    """All of them, in the order of the documents."""
    return tuple(
        Example(
            each["document"],
            each["section"],
            each["file"],
            tuple(each.get("hosts", ())),
            each.get("silent", False),
            Correction(**each["correction"]) if "correction" in each else None,
        )
        for each in _listed()["example"]
    )


def _listed() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "examples.toml").read_text("utf-8"))


def is_reached(host: str) -> bool:
    """Whether a connection to the host's HTTPS port comes about."""
    try:
        with socket.create_connection((host, 443), _REACHED):
            return True
    except OSError:
        return False


@contextmanager
def place(hosts: frozenset[str], config: Path | None) -> Generator[Place]:
    """A server, and stand-ins for `hosts`. `config`: the server's settings, where they are not the default ones."""
    if RUNNING in os.environ:
        yield Place(os.environ[RUNNING], {}, frozenset())
        return
    from tests.referee.live import live_process

    with ExitStack() as stack:
        # Only tests switch these off, for they ask no other host.
        extra, client = {"ANTIPHON_SERVER_TOOLS_DEFAULTS": "true"}, {}
        program: Sequence[str] = ("antiphon",)
        said = "" if config is None else config.read_text("utf-8")
        if hosts:
            from tests.referee.example_hosts import stand_ins

            there = stack.enter_context(stand_ins())
            said += there.settings
            program = ("tests.referee.routed_server", str(there.outside.host.port))
            extra |= {**there.outside.trusting, "PYTHONPATH": os.pathsep.join([str(ROOT), *_python_path()])}
            client = dict(there.outside.environment)
        arguments: list[str] = []
        if said:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            (Path(folder) / "antiphon.toml").write_text(said, "utf-8")
            arguments = ["--config", str(Path(folder) / "antiphon.toml")]
        live = stack.enter_context(live_process(*arguments, program=program, extra=extra))
        yield Place(live.url, client, hosts)


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def run(example: Example, where: Place, seconds: float) -> Row:
    """The example's output, while it comes, and how it ended."""
    row = Row(example, remarks=[f"with a stand-in for {host}" for host in example.hosts if host in where.stood_in])
    began = time.monotonic()
    ending = _run_text(example.text, where, seconds)
    made = example.correction
    if made is not None and ending.wrong is not None and made.because in ending.wrong:
        _say(f"As printed: {ending.wrong.splitlines()[-1]}\nAgain, with {made.says}\n")
        row.remarks.append(f"with {made.says}")
        ending = _run_text(example.corrected, where, seconds)
    row.seconds = time.monotonic() - began
    row.wrong = ending.wrong
    if ending.wrong is None and not ending.printed and not example.silent:
        row.wrong = "it printed nothing"
    elif ending.wrong is None and not ending.printed:
        _say("(This example prints nothing.)\n")
    return row


def _run_text(text: str, where: Place, seconds: float) -> Ending:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    given = {
        RUNNING: where.url,
        "ANTHROPIC_API_KEY": os.environ.get("ANTHROPIC_API_KEY") or "any-key",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as complaints:
        program = Path(folder) / "example.py"
        program.write_text(text, "utf-8")
        reading, writing = os.pipe()
        try:
            command = [sys.executable, str(program)]
            process = start(command, {**kept, **given, **where.environment}, writing, complaints.fileno(), folder)
        finally:
            os.close(writing)
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            printed = _echo(reading)
            status = process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.wait()
        complaints.seek(0)
        words = complaints.read().decode("utf-8", "replace").strip()[-_LAST_WORDS:]
    if late.is_set():
        return Ending(f"not at its end after {seconds:g} s", printed)
    return Ending((words or f"exit status {status}") if status else None, printed)


def start(
    command: Sequence[str], environment: Mapping[str, str], output: int, errors: int, folder: str
) -> "subprocess.Popen[bytes]":
    """A program that runs in this folder, and whose output and errors go to these descriptors."""
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=errors)


def _echo(reading: int) -> bool:
    """Show what a program prints while it prints it; whether that was anything."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    last = ""
    with os.fdopen(reading, "rb", buffering=0) as output:
        while piece := output.read(65_536):
            said = decode(piece)
            _say(said)
            last = said or last
    if last and not last.endswith("\n"):
        _say("\n")
    return bool(last)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _table(rows: Sequence[Row]) -> str:
    titles = _listed()["documents"]
    wide = max(len("example"), *(len(row.example.name) for row in rows))
    lines = [f"{'example':{wide}}  {'seconds':>7}  ended", f"{'-' * wide}  {'-' * 7}  {'-' * 30}"]
    for row in rows:
        told = row.told.strip().splitlines()[-1]
        lines.append(f"{row.example.name:{wide}}  {row.seconds:7.1f}  {told}")
    well = sum(row.wrong is None for row in rows)
    documents = " and ".join(titles[name] for name in dict.fromkeys(row.example.document for row in rows))
    lines += ["", f"{well} of {len(rows)} examples of {documents} ended without an error."]
    return "\n".join(lines)


def chosen(names: Sequence[str]) -> tuple[Example, ...]:
    """The examples of these names; all where there are none. Ends the program where a name is unknown."""
    found = examples()
    known = {example.name for example in found}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"There is no example {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")
    return tuple(example for example in found if not names or example.name in names)


def main() -> None:
    """Run them; ends with 1 where one ended with an error."""
    parser = argparse.ArgumentParser(description="Runs the examples of the API's documents.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="an example; all of them unless some are named")
    parser.add_argument("--offline", action="store_true", help="ask no other host; stand-ins take their places")
    parser.add_argument("--config", type=Path, help="the server's settings, instead of the default ones")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="that one example may take")
    given = parser.parse_args()
    wanted = chosen(given.names)
    titles = _listed()["documents"]
    hosts = frozenset(host for example in wanted for host in example.hosts)
    if RUNNING in os.environ or (not given.offline and all(is_reached(host) for host in sorted(hosts))):
        hosts = frozenset[str]()
    elif hosts:
        _say(f"Stand-ins on this machine for: {', '.join(sorted(hosts))}\n")
    rows: list[Row] = []
    with place(hosts, given.config) as where:
        _say(f"The server: {where.url}\n")
        for example in wanted:
            _say(f"\n{f'── {example.name}: {titles[example.document]}, {example.section} ':─<{_RULE}}\n")
            row = run(example, where, given.seconds)
            if row.wrong is not None:
                _say(f"{row.wrong}\n")
            rows.append(row)
    _say(f"\n{'':═<{_RULE}}\n{_table(rows)}\n")
    sys.exit(any(row.wrong is not None for row in rows))


if __name__ == "__main__":
    # What stands in for other hosts is the tests'.
    sys.path.insert(0, str(ROOT))
    main()
