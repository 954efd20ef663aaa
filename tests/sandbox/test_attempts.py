"""Ways out of a sandbox: each is tried in one, and what comes of it is looked at from outside."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from antiphon.ports.sandbox import Command
from tests.sandbox.conftest import LIMITS, bubblewrap

HERE = Path(__file__).parent
ATTEMPTS: list[dict[str, str]] = tomllib.loads((HERE / "attempts.toml").read_text())["attempt"]
CODE = (HERE / "attempting.py").read_text()

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the table has this processor's numbers")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What there is to reach outside."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text("canary")
    abstract = f"antiphon-{os.getpid()}"
    with ExitStack() as stack:
        port = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        for name in ("\0" + abstract, str(folder / "socket")):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(name)
            listener.listen()
        yield {
            "port": port, "abstract": abstract, "socket": str(folder / "socket"), "secret": str(folder / "secret"),
            "server": os.getpid(),
        }  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(given: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What has come of all attempts, in one sandbox."""

    async def attempted() -> dict[str, str]:
        driver = bubblewrap(tmp_path_factory.mktemp("sandboxes"))
        asked = {"given": given, "attempts": {attempt["name"]: attempt["code"] for attempt in ATTEMPTS}}
        sandbox = await driver.open("hostile", LIMITS)
        command = Command(("python3", "-c", CODE), 60.0, 1 << 20, json.dumps(asked).encode())
        finished = await sandbox.run(command)
        await driver.aclose()
        assert finished.return_code == 0, finished
        return json.loads(finished.stdout)

    os.environ["ANTIPHON_SECRET_KEY"] = "canary"
    try:
        return asyncio.run(attempted())
    finally:
        del os.environ["ANTIPHON_SECRET_KEY"]


@pytest.mark.promise("sandbox.escapes")
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt["name"])
def test_it_does_not_get_out(attempt: dict[str, str], outcomes: Mapping[str, str]):
    assert outcomes[attempt["name"]] in attempt["outcome"].split("|")


def test_there_are_as_many_attempts_as_are_promised():
    assert len({attempt["name"] for attempt in ATTEMPTS}) == len(ATTEMPTS) >= 60


@pytest.mark.skipif(os.geteuid() != 0, reason="what is tried is root's to do")
def test_what_a_sandbox_refuses_can_be_done_outside(given: Mapping[str, Any]):
    free = {attempt["name"]: attempt for attempt in ATTEMPTS if "free" in attempt}
    asked = {"given": given, "attempts": {name: attempt["code"] for name, attempt in free.items()}}
    done = subprocess.run(
        [sys.executable, "-c", CODE], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60
    )
    outcomes = json.loads(done.stdout)
    told = {name: outcomes[name] for name, attempt in free.items() if re.fullmatch(attempt["free"], outcomes[name])}
    # Some kernels have less to offer; most of it is there on any.
    assert len(told) > len(free) * 0.6, outcomes
    assert not {name for name in told if told[name] in free[name]["outcome"].split("|")}
