"""How fast a model is on this machine: some seconds of reading and writing in a process of its own. Blocks."""

import json
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import Any, Final

from antiphon.engines.llamacpp.embedded import child
from antiphon.engines.llamacpp.embedded.child import Load, Ready
from antiphon.errors import EngineFault

PATIENCE: Final = 6.0
"""Seconds after which no further round begins."""

_ROUNDS: Final = 2
_READ: Final = 128
_WRITTEN: Final = 16
_FIRST_TOKEN: Final = 1000
_CONTEXT: Final = 512
_TIMEOUT: Final = 60.0

# No proxy of the environment is meant for this machine's own loopback.
_local = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def tried(loads: Sequence[Load]) -> list[tuple[float, float]]:
    """Tokens a second that each of these reads and writes, the best of some rounds in turns.

    Raises `EngineFault` where one cannot be loaded, or does not answer.
    """
    began = time.monotonic()
    try:
        with ExitStack() as running:
            servers = [running.enter_context(_running(load)) for load in loads]
            for server in servers:
                _timings(server, 8, 1)  # the first work of all finds nothing in its place
            best = [_round(server) for server in servers]
            for _ in range(1, _ROUNDS):
                if time.monotonic() - began > PATIENCE:
                    break
                again = [_round(server) for server in servers]
                best = [
                    (max(read, faster_read), max(wrote, faster_write))
                    for (read, wrote), (faster_read, faster_write) in zip(best, again, strict=True)
                ]
            return best
    except (OSError, ValueError, KeyError) as problem:
        raise EngineFault(f"a model cannot be tried: {problem}") from problem


@contextmanager
def _running(load: Load) -> Generator[tuple[str, str]]:
    """A server's address and its key; it is gone behind the block."""
    load = replace(load, key=secrets.token_urlsafe(32), context=_CONTEXT, parallel=1, puts_aside=False, second="")
    pipe = subprocess.PIPE
    program = [sys.executable, "-P", child.__file__]
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(asdict(load)).encode() + b"\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline() or b"{}")
            if "ready" not in answer:
                raise EngineFault(f"{load.path} cannot be tried: {answer.get('error') or 'the process ended'}")
            yield Ready(**answer["ready"]).address, load.key
        finally:
            process.kill()


def _round(server: tuple[str, str]) -> tuple[float, float]:
    read = _timings(server, _READ, 1)["prompt_per_second"]
    return float(read), float(_timings(server, 8, _WRITTEN)["predicted_per_second"])


def _timings(server: tuple[str, str], prompt: int, tokens: int) -> dict[str, Any]:
    address, key = server
    body = {
        "prompt": list(range(_FIRST_TOKEN, _FIRST_TOKEN + prompt)),
        "n_predict": tokens,
        "ignore_eos": True,
        "temperature": 0.0,
        "cache_prompt": False,
    }
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{address}/completion", json.dumps(body).encode(), headers)
    with _local.open(request, timeout=_TIMEOUT) as reply:
        return json.load(reply)["timings"]
