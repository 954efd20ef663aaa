"""Programs that are forked from a process with their imports, and programs that are started by name."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.referee.live import live_process, run_client
from tests.referee.warm import Running, start, start_by_name

Start = Callable[[Sequence[str], Mapping[str, str], int, int], Running]

PROGRAM = """
import atexit, json, os, sys
atexit.register(print, "bye")
print(json.dumps({"name": __name__, "file": __file__, "arguments": sys.argv, "first": sys.path[0],
    "folder": os.getcwd(), "variables": dict(os.environ), "loaded": "anthropic" in sys.modules, **({"hash": hash("text")} if "PYTHONHASHSEED" in os.environ else {})}))
print("a complaint", file=sys.stderr)
sys.exit(int(os.environ["STATUS"]))
"""


def told(folder: Path, variables: Mapping[str, str], start: Start) -> tuple[int, dict[str, Any], str, str]:
    """How the program ends, what it is and says last, and its complaints."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    output, errors = folder / "output", folder / "errors"
    with output.open("w") as out, errors.open("w") as err:
        process = start([sys.executable, str(program), "one"], variables, out.fileno(), err.fileno())
        status = process.wait(60)
    what, last = output.read_text().splitlines()
    return status, json.loads(what), last, errors.read_text()


def test_a_forked_program_is_what_it_is_where_it_is_started_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {**os.environ, "STATUS": "3", "LC_CTYPE": "C.UTF-8"}
    status, forked, *said = told(tmp_path, variables, start)
    assert (status, said) == (3, ["bye", "a complaint\n"])
    assert forked.pop("loaded") is (sys.platform == "linux")
    alone, named, *said_alone = told(tmp_path, variables, start_by_name)
    assert named.pop("loaded") is False
    assert (forked, status, said) == (named, alone, said_alone)
    # Of a variable that counts while things are imported, and of one that the interpreter heeds.
    _, other, *_ = told(tmp_path, {**variables, "HF_HOME": "elsewhere"}, start)
    assert other["loaded"] is False
    _, seeded, *_ = told(tmp_path, {**variables, "PYTHONHASHSEED": "1"}, start)
    assert seeded["hash"] == hash_of("1")


def hash_of(seed: str) -> int:
    """That of a text in an interpreter with this seed."""
    command = [sys.executable, "-c", "print(hash('text'))"]
    return int(
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
    )


def test_a_client_that_fails_or_takes_too_long_fails_the_test_and_is_ended(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text("raise ValueError('no reply')")
    with pytest.raises(AssertionError, match=r"(?s)fails\.py failed:.*no reply"):
        run_client([sys.executable, tmp_path / "fails.py"], "http://127.0.0.1:9")
    (tmp_path / "hangs.py").write_text(
        f"import os, signal\nopen({str(tmp_path / 'id')!r}, 'w').write(str(os.getpid()))\nsignal.pause()"
    )
    with pytest.raises(subprocess.TimeoutExpired):
        run_client([sys.executable, tmp_path / "hangs.py"], "http://127.0.0.1:9", timeout=5)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "id").read_text()), 0)


def test_a_server_is_the_process_that_it_says_and_a_wrong_one_is_told_of(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text("[[reply]]\ntext = 'Yes.'\n")
    with live_process("--model", f"script:{script}") as live:
        os.kill(live.pid, signal.SIGKILL)
    with pytest.raises(AssertionError, match=r"gone\.toml"), live_process("--model", "script:gone.toml"):
        pass
