"""Servers and clients that we did not write: a reply of ours stands between the protocol's own server of everything,
over both of its transports, and the official SDKs."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.referee.live import live_server, run_client
from tests.referee.node import node
from tests.referee.test_python_sdks import INTERPRETERS

HERE = Path(__file__).parent

EVERYTHING = HERE / "ts" / "node_modules" / "@modelcontextprotocol" / "server-everything" / "dist" / "index.js"

PATHS = {"streamableHttp": "/mcp", "sse": "/sse"}

BLOCKS = ["text", "mcp_tool_use", "mcp_tool_result", "text"]


@contextmanager
def everything(transport: str) -> Generator[int]:
    """The server in a process of its own; yields its port."""
    assert EVERYTHING.exists(), "`make test` installs the servers"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    process = subprocess.Popen(
        [node(), EVERYTHING, transport],
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # `node` may be a program around the real one
    )
    listens = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if f"on port {port}" in line:
                listens.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert listens.wait(60), "the server of everything does not listen"
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(5)
        if process.stderr is not None:
            process.stderr.close()


@pytest.fixture(scope="module", name="servers")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[str, dict[str, str]]]:
    """Our server on a script, and the URLs that it may reach, by their transports."""
    with ExitStack() as running:
        ports = {transport: running.enter_context(everything(transport)) for transport in PATHS}
        config = tmp_path_factory.mktemp("mcp") / "antiphon.toml"
        allowed = ", ".join(f'"http://127.0.0.1:{port}"' for port in ports.values())
        config.write_text(f'model = "script:{HERE / "mcp.toml"}"\n[network]\nallow_hosts = [{allowed}]\n')
        ours = running.enter_context(live_server("--config", str(config)))
        yield ours, {transport: f"http://127.0.0.1:{port}{PATHS[transport]}" for transport, port in ports.items()}


def check(done: dict[str, Any]) -> None:
    """What an application has to come to."""
    assert (done["streamed"], done["whole"]) == (BLOCKS, BLOCKS)
    assert done["called"] == ["get-sum", "everything", {"a": 2, "b": 3}]
    assert done["result"] == [False, ["The sum of 2 and 3 is 5."]]
    assert done["paired"]
    assert (done["answer"], done["stopped"]) == ("It is 5.", "end_turn")
    # The picture that it sends is none that a library can read: it costs nobody the reply.
    assert done["pictured"][1] == "[a picture that cannot be shown: image/png]"
    assert done["last"] == "A small logo."


@pytest.mark.promise("mcp.sdks", "mcp.transports", "mcp.streamed", "mcp.replayed")
@pytest.mark.parametrize(("line", "transport"), [("newest", "streamableHttp"), ("0.x", "sse")])
def test_the_python_sdk_reads_what_the_server_of_everything_did(
    servers: tuple[str, dict[str, str]], line: str, transport: str
) -> None:
    ours, urls = servers
    check(json.loads(run_client([INTERPRETERS[line], HERE / "mcp_scenarios.py", urls[transport]], ours)))


@pytest.mark.promise("mcp.sdks", "mcp.transports", "mcp.streamed", "mcp.replayed")
@pytest.mark.parametrize("transport", PATHS)
def test_the_typescript_sdk_reads_what_the_server_of_everything_did(
    servers: tuple[str, dict[str, str]], transport: str
) -> None:
    ours, urls = servers
    check(json.loads(run_client([node(), HERE / "ts" / "mcp.mjs", urls[transport]], ours)))
