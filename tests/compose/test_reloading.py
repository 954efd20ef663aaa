"""The configuration is read again while the server runs: in one process, from its settings up."""

import asyncio
import os
import pty
import signal
import sys
import tomllib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from antiphon.compose.assembly import Ground, assemble
from antiphon.compose.engines import start_engine
from antiphon.compose.exchanging import Exchanging
from antiphon.compose.fleet import Fleet
from antiphon.compose.reloading import Live, Reloading, told_apart
from antiphon.compose.start import run_server
from antiphon.config import Settings, TlsSettings, parse_settings
from antiphon.testing import Bridge
from antiphon.web.tls import tls_context
from tests.cli.test_compose import Watching
from tests.web.http.certificates import make

ASK = {"model": "claude-opus-4-8", "max_tokens": 20, "messages": [{"role": "user", "content": "Hi"}]}
SCRIPT = '[[reply]]\nchunks = ["a ", "b ", "c ", "d"]\nchunk_delay_ms = 20\n'


PRICES = '[prices."*"]\ninput = 1000\noutput = 1000000\n'
QUEUE = '[limits.queue]\nof = "batches"\nenqueued_batch_requests = 1\n'


@dataclass
class Server:
    """A process that answers, its file of settings, and what reads that again."""

    bridge: Bridge
    file: Path
    base: str
    reloading: Reloading
    exchanging: Exchanging
    fleet: Fleet

    def reload(self, more: str, *, tables: str = "") -> None:
        """Read this besides what the file begins with."""
        self.file.write_text(f"{more}\n{self.base}\n{tables}")
        self.reloading.reload()

    async def settled(self) -> None:
        """Wait until models are exchanged, and those that are served no more have ended."""
        await self.exchanging.settled()
        await self.fleet.settled()

    async def enqueue(self) -> int:
        """How a batch of two requests is answered."""
        requests = [{"custom_id": name, "params": ASK} for name in ("a", "b")]
        return (await self.bridge.ask("POST", "/v1/messages/batches", {"requests": requests})).status

    async def status(self, key: str | None = None) -> int:
        return (await self.bridge.post(ASK, headers={"x-api-key": key})).status


@asynccontextmanager
async def server(
    folder: Path, more: str = "", *, tables: str = "", stores: str = "data = 'off'", thinking: str = ""
) -> AsyncGenerator[Server]:
    script, file = folder / "script.toml", folder / "antiphon.toml"
    script.write_text(SCRIPT)
    base = f'model = "m"\n[models.m]\nsource = "script:{script}"\n[thinking]\nkeys = ["{"k" * 42}A="]\n{thinking}\n'
    base += f"[stores]\n{stores}\n[server_tools]\ndefaults = false\n[sandbox]\ndriver = 'none'\n"

    def read() -> Settings:
        return parse_settings({}, {}, tomllib.loads(file.read_text()))

    file.write_text(f"{more}\n{base}\n{tables}")
    settings = read()
    ground = Ground.of(settings)
    door = ground.door()
    async with AsyncExitStack() as running:
        running.push_async_callback(ground.fetcher.aclose)
        watching = Watching()
        live = Live(ground, door, None)
        live.open(await assemble(ground, lambda model: start_engine(model, settings, watching), watching, running))
        exchanging = Exchanging(settings, ground.fleet.exchange)
        running.push_async_callback(exchanging.aclose)
        exchanging.open()
        reloading = Reloading(settings, read, live.change, exchanging)
        yield Server(Bridge(door), file, base, reloading, exchanging, ground.fleet)


@pytest.mark.promise("reload.keys-and-limits", "reload.loses-nothing")
async def test_keys_and_limits_are_others_from_the_next_request_on_and_a_stream_goes_on(tmp_path: Path) -> None:
    async with server(tmp_path, 'api_keys = ["old"]') as running:
        body = {**ASK, "stream": True}
        async with running.bridge.open("POST", "/v1/messages", body, headers={"x-api-key": "old"}) as stream:
            await stream.begin()
            running.reload('api_keys = ["new"]', tables="[limits.all]\nrequests_per_minute = 2\n")
            assert [await running.status(key) for key in ("old", "new", "new", "new")] == [401, 200, 200, 429]
            said = (await stream.read()).decode()
        assert [f'"text":"{part}"' in said for part in ("a ", "b ", "c ", "d")] == [True] * 4
        assert "message_stop" in said
        running.reload('api_keys = ["new"]')
        assert await running.status("new") == 200


@pytest.mark.promise("reload.wrong-file")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('api_keys = ["new"]\nmax_bdy = 1', "unknown key 'max_bdy'"),
        ('api_keys = ["new"]\nhost = "0.0.0.0"\nping_after = 0', "0 is not a number from 0.1"),
    ],
)
async def test_a_wrong_file_changes_nothing_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong: str, said: str
) -> None:
    async with server(tmp_path, 'api_keys = ["old"]') as running:
        running.reload(wrong)
        assert [await running.status(key) for key in ("old", "new")] == [200, 401]
        assert "the configuration stays as it was: " in caplog.text
        assert said in caplog.text
        running.reload('api_keys = ["new"]')
        assert [await running.status(key) for key in ("old", "new")] == [401, 200]


@pytest.mark.promise("reload.refused-by-name")
async def test_what_takes_a_start_is_named_and_the_rest_is_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(tmp_path, 'api_keys = ["old"]') as running:
        more = "[media]\ncache = 0\n"
        running.reload('api_keys = ["new"]\nport = 1', tables=more)
        assert [await running.status(key) for key in ("old", "new")] == [401, 200]
    for text in ("port", "media"):
        assert f"the next start will heed: {text}\n" in caplog.text


@pytest.mark.promise("reload.refused-by-name")
def test_tls_is_neither_begun_nor_ended_without_a_start() -> None:
    plain, tls = Settings(), Settings(tls=TlsSettings("a.pem"))
    assert told_apart(plain, tls) == told_apart(tls, plain) == ({}, ["tls"])
    moved = Settings(tls=TlsSettings("b.pem"))
    assert told_apart(tls, moved) == ({"tls": TlsSettings("b.pem")}, [])


@pytest.mark.promise("reload.wrong-file")
async def test_a_certificate_that_is_wrong_is_not_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, two = make(tmp_path, "one"), make(tmp_path, "two")
    settings = Settings(tls=TlsSettings(str(one.cert), str(one.key)), stores=replace(Settings().stores, data="off"))
    ground = Ground.of(replace(settings, thinking=replace(settings.thinking, keys=(b"k" * 32,))))
    context = tls_context(str(one.cert), str(one.key))
    live = Live(ground, ground.door(), context)
    found = replace(settings, tls=TlsSettings(str(one.cert), str(two.key)))
    Reloading(settings, lambda: found, live.change, Exchanging(settings, ground.fleet.exchange)).reload()
    assert "the configuration stays as it was: tls: the key in" in caplog.text
    live.change({})  # what was there before is shown still
    await ground.fetcher.aclose()


@pytest.mark.promise("reload.keys-and-limits")
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_one_process_reads_its_settings_again_at_a_hangup(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT)
    toml = f"""
        port = 0
        model = "m"
        models.m.source = "script:{script}"
        thinking.keys = ["{"k" * 42}A="]
        stores.data = "off"
        server_tools.defaults = false
        sandbox.driver = "none"
    """
    settings = parse_settings({}, {}, tomllib.loads(toml))
    statuses: list[int] = []

    async def work(url: str) -> None:
        async with aiohttp.ClientSession(headers={"anthropic-version": "2023-06-01"}) as client, asyncio.timeout(30):
            while 401 not in statuses:
                async with client.get(f"{url}/v1/models") as reply:
                    statuses.append(reply.status)
                os.kill(os.getpid(), signal.SIGHUP)

    run_server(settings, Watching(), work, reread=lambda: replace(settings, api_keys=("new",)))
    assert statuses[0] == 200
    assert statuses[-1] == 401


@pytest.mark.promise("reload.terminal")
@pytest.mark.skipif(sys.platform == "win32", reason="terminals")
def test_a_terminal_is_gone_when_its_other_end_is() -> None:
    asks = (
        "import os, signal, sys, time\n"
        "from antiphon.compose.terminals import is_gone\n"
        "signal.signal(signal.SIGHUP, lambda *_: os._exit(10 + is_gone(0)))\n"
        "assert not is_gone(0)\n"
        "os.write(1, b'here')\n"
        "signal.pause()\n"
    )
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", asks])
    said = b""
    while b"here" not in said:
        said += os.read(terminal, 1000)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 11


@pytest.mark.promise("reload.guard")
async def test_what_is_declined_is_other_from_the_next_request_on(tmp_path: Path) -> None:
    async with server(tmp_path) as running:
        reasons = [(await running.bridge.post(ASK)).json["stop_reason"]]
        running.reload("", tables="[guard.greeting]\nmatch = ['^Hi$']\n")
        reasons.append((await running.bridge.post(ASK)).json["stop_reason"])
        running.reload("", tables="[guard.greeting]\nmatch = ['(']\n")
        reasons.append((await running.bridge.post(ASK)).json["stop_reason"])
        running.reload("")
        reasons.append((await running.bridge.post(ASK)).json["stop_reason"])
    assert reasons == ["end_turn", "refusal", "refusal", "end_turn"]


@pytest.mark.promise("reload.keys-and-limits")
async def test_limits_of_money_and_of_batches_are_others_too(tmp_path: Path) -> None:
    async with server(tmp_path, stores=f"data = '{tmp_path / 'data'}'", tables=PRICES) as running:
        assert await running.status() == 200
        assert await running.enqueue() == 200
        running.reload("", tables=f"{PRICES}[limits.money]\ndollars_per_month = 0.01\n{QUEUE}")
        assert await running.status() == 400
        assert await running.enqueue() == 429
        running.reload("", tables=PRICES)
        assert await running.status() == 200
        assert await running.enqueue() == 200
