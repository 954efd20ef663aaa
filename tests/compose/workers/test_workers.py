"""Several processes that answer on one port: who gets what, and what becomes of it when one of them dies."""

import asyncio
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.compose.workers.running import CHILD, Client, Serving, ask, request, serving, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

SCRIPT = """
[[reply]]
match = "^wait$"
chunks = ["waiting", " for nothing"]
after_chunks = 1
hang = true

[[reply]]
match = "^slow$"
chunks = ["a ", "b ", "c ", "d ", "e ", "f ", "g ", "h"]
chunk_delay_ms = 250

[[reply]]
text = "Hello!"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model whose replies come at once, slowly or never."""
    path = tmp_path_factory.mktemp("script") / "script.toml"
    path.write_text(SCRIPT)
    return f"script:{path}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(script: str) -> AsyncGenerator[Serving]:
    """Two workers, shared: they may be killed, and are waited for by who needs two."""
    async with serving("--model", script) as running:
        yield running


async def two(server: Serving) -> set[int]:
    """Both workers, once both answer."""
    await until(lambda: len(server.workers()) == 2 and server.lost == server.back, "two workers")
    return server.workers()


async def one_each(server: Serving, text: str, open_: AsyncExitStack) -> dict[int, Client]:
    """A stream that has begun at each worker."""
    await two(server)
    streams: dict[int, Client] = {}
    while len(streams) < 2:
        client = await open_.enter_async_context(server.connect())
        if client.worker not in streams:
            client.send(ask(text))
            await client.until(b"text_delta")
            streams[client.worker] = client
    return streams


@pytest.mark.promise("workers.even")
async def test_connections_are_spread_evenly_whether_they_come_at_once_or_one_by_one(server: Serving):
    await two(server)
    async with AsyncExitStack() as open_:
        clients = [await open_.enter_async_context(server.connect()) for _ in range(10)]
        entered = (open_.enter_async_context(server.connect()) for _ in range(30))
        clients += await asyncio.gather(*entered)
        shares = Counter(client.worker for client in clients)
        assert len(shares) == 2
        assert max(shares.values()) - min(shares.values()) <= 2
        for client in clients:
            client.send(ask("Hi"))
        assert all([b"Hello" in await client.until(b"message_stop") for client in clients])


@pytest.mark.promise("workers.replaced")
async def test_a_killed_worker_loses_its_own_streams_and_no_others_and_is_replaced(server: Serving):
    async with AsyncExitStack() as open_:
        streams = await one_each(server, "slow", open_)
        killed, other = streams
        server.kill(killed)
        assert await streams[killed].is_cut()
        assert not await streams[other].is_cut()
        assert b'"text":"h"' in streams[other].came
    await until(lambda: len(server.workers()) == 2, "another worker")
    assert killed not in server.workers()
    assert (await server.whole(ask("Hi")))["content"][0]["text"] == "Hello!"
    await two(server)
    assert any("was ended by SIGKILL. Starting it again in" in line for line in server.said)


@pytest.mark.promise("workers.replaced", "workers.loading")
async def test_no_request_fails_while_a_worker_is_replaced(server: Serving):
    workers, before = await two(server), server.lost
    server.kill(workers.pop())
    await until(lambda: server.lost > before, "the loss of a worker")
    asked = 0
    while asked < 20 or server.back < server.lost:
        assert (await server.whole(ask("Hi")))["content"][0]["text"] == "Hello!"
        assert (await server.health())[0] == 200
        asked += 1


@pytest.mark.promise("workers.replaced")
async def test_connections_that_no_worker_had_taken_are_answered_by_the_next(script: str):
    async with serving("--model", script) as server:
        workers = await two(server)
        for pid in workers:
            server.kill(pid, signal.SIGSTOP)
        waiting = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(8)]
        for connection in waiting:
            connection.sendall(request(ask("Hi")))
        for pid in workers:
            server.kill(pid, signal.SIGKILL)
        replies = [await asyncio.to_thread(read_whole, connection) for connection in waiting]
        assert all(b"message_stop" in reply for reply in replies)


def read_whole(connection: socket.socket) -> bytes:
    """A whole stream, or what came of it."""
    came = b""
    with connection:
        while b"message_stop" not in came and (data := connection.recv(65536)):
            came += data
    return came


@pytest.mark.promise("workers.even")
async def test_a_request_has_an_id_of_its_own_whoever_answers(server: Serving):
    async with AsyncExitStack() as open_:
        clients = [await open_.enter_async_context(server.connect()) for _ in range(20)]
        for client in clients:
            client.send(ask("Hi"))
        came = [await client.until(b"message_stop") for client in clients]
    ids = {reply.split(b"request-id: ")[1].split(b"\r\n")[0] for reply in came}
    assert len(ids) == 20


@pytest.mark.promise("workers.drain")
async def test_the_first_signal_lets_the_streams_of_all_workers_finish(script: str):
    async with serving("--model", script) as server:
        async with AsyncExitStack() as open_:
            streams = await one_each(server, "slow", open_)
            server.kill(number=signal.SIGINT)
            await until(lambda: any("2 open requests may finish" in line for line in server.said), "the count")
            with pytest.raises(ConnectionError):
                await server.health()
            assert [await client.is_cut() for client in streams.values()] == [False, False]
        assert await server.ended() == 0
        assert not any("again" in line and "Starting" in line for line in server.said)


@pytest.mark.promise("workers.drain")
async def test_the_second_signal_stops_at_once(script: str):
    async with serving("--model", script, "--drain-timeout", "600") as server, AsyncExitStack() as open_:
        streams = await one_each(server, "wait", open_)
        workers = server.workers()
        server.kill(number=signal.SIGINT)
        await until(lambda: any("2 open requests may finish" in line for line in server.said), "the count")
        server.kill(number=signal.SIGINT)
        assert await server.ended() == 0
        assert [await client.is_cut() for client in streams.values()] == [True, True]
        assert not any(psutil.pid_exists(pid) for pid in workers)


@pytest.mark.promise("workers.drain")
async def test_a_signal_to_all_processes_at_once_is_one_signal(script: str):
    async with serving("--model", script) as server:
        async with AsyncExitStack() as open_:
            streams = await one_each(server, "slow", open_)
            for pid in [server.pid, *server.workers()]:
                server.kill(pid, signal.SIGTERM)
            assert [await client.is_cut() for client in streams.values()] == [False, False]
        assert await server.ended() == 0


@pytest.mark.promise("workers.parent")
async def test_workers_end_with_their_parent_and_the_port_is_free_again(script: str):
    async with serving("--model", script) as server:
        workers = await two(server)
        server.kill()
        await server.ended()
        await until(lambda: not any(lives(pid) for pid in workers), "the end of the workers")
        port = server.port
    async with serving("--model", script, "--port", str(port)) as again:
        assert again.port == port
        assert (await again.health())[0] == 200


def lives(pid: int) -> bool:
    """Whether the process is there, and more than a name."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.promise("workers.back-off")
async def test_a_worker_that_dies_again_and_again_is_started_later_and_later(script: str):
    async with serving("--model", script) as server:
        workers = await two(server)
        stays = workers.pop()
        for seconds in ("0.5 s", "1 s", "2 s"):
            await until(lambda: len(server.workers()) == 2, "the other worker")
            (dies,) = server.workers() - {stays}
            server.kill(dies)
            said = f"Starting it again in {seconds}."
            await until(lambda said=said: any(said in line for line in server.said), said)
        assert all("was ended by SIGKILL" in line for line in server.said if "Starting it again" in line)
        assert (await server.health())[0] == 200


@pytest.mark.promise("workers.start-fails")
async def test_what_keeps_a_worker_from_starting_is_said_in_one_sentence(tmp_path: Path):
    async with serving("--model", f"script:{tmp_path}/none.toml", wait=False) as server:
        assert await server.ended() == 1
        assert "".join(server.said).count("none.toml cannot be read: No such file or directory") == 1
        assert server.said[-1].startswith("antiphon: model ")
        assert not any("Traceback" in line for line in server.said)


@pytest.mark.promise("workers.start-fails")
async def test_a_setting_that_only_a_worker_finds_wrong_ends_all(script: str, tmp_path: Path):
    path = tmp_path / "antiphon.toml"
    path.write_text('[server_tools.own]\nfunctions = "nowhere.at_all"\n')
    async with serving("--model", script, "--config", str(path), wait=False) as server:
        assert await server.ended() != 0
        assert server.said[-1].startswith("antiphon: ") or "antiphon.toml" in server.said[-1]
        assert server.workers() == set()


@pytest.mark.promise("workers.one-key")
async def test_one_worker_opens_what_another_has_sealed_though_the_key_is_for_this_start_alone(
    script: str, tmp_path: Path
):
    (tmp_path / "file").write_text("")
    # A folder that cannot be made: the key lives as long as the server.
    env = {"ANTIPHON_THINKING_KEYS": "", "ANTIPHON_THINKING_KEY_FILE": str(tmp_path / "file" / "key")}
    async with serving("--model", script, env=env) as server:
        assert sum("can be neither read nor made" in line for line in server.said) == 1
        async with AsyncExitStack() as open_:
            streams = await one_each(server, "Hi", open_)
            heads = [(await client.until(b"\r\n\r\n")).lower() for client in streams.values()]
        names = {head.split(b"anthropic-organization-id: ")[1].split(b"\r\n")[0] for head in heads}
        assert len(names) == 1  # it is made from the key


@pytest.mark.promise("workers.secret")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_keys_are_in_no_workers_arguments(server: Serving):
    for pid in await two(server):
        arguments = psutil.Process(pid).cmdline()
        assert arguments[1:-1] == ["-P", "-m", CHILD]
        assert arguments[-1].isdecimal()


async def test_one_worker_is_the_one_process_that_it_always_was(script: str):
    async with serving("--model", script, workers=1, by_name=True) as server:
        assert (await server.health())[0] == 200
        assert psutil.Process(server.pid).children(recursive=True) == []
        assert not any("worker" in line for line in server.said)
    assert os.getpid() != server.pid
