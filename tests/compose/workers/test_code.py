"""Code that waits for its client in one worker, and is answered through another one."""

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.compose.workers.running import Client, Serving, serving, until
from tests.web.code_app import asks
from tests.web.searching_app import says
from tests.web.test_programmatic_calling import LOOP, TOOLS, answered, calls
from tests.web.test_python import cell, results

SCRIPT = says("Done.", prompt="one-two") + says("Lost.", prompt="unavailable") + says(cell(LOOP))


async def reply(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    """What comes of a request on this connection."""
    client.came = b""
    client.send(body)
    head, _, rest = (await client.until(b"\r\n\r\n")).partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head.lower())
    assert found is not None, head
    while len(rest) < int(found[1]):
        rest += await client.reader.read(65536)
    assert b" 200 " in head, rest
    return json.loads(rest)


async def on_both(server: Serving, open_: AsyncExitStack) -> tuple[Client, Client]:
    """Connections that two workers have taken."""
    taken: dict[int, Client] = {}
    while len(taken) < 2:
        client = await open_.enter_async_context(server.connect())
        taken.setdefault(client.worker, client)
    one, two = taken.values()
    return one, two


@pytest.mark.promise("programmatic-calling.workers")
async def test_code_goes_on_through_any_worker_until_its_own_one_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT)
    asked = asks(tools=TOOLS, model="claude-opus-4-8", max_tokens=2000)
    env = {"ANTIPHON_SANDBOX_DRIVER": "bubblewrap"}
    async with serving("--model", f"script:{script}", env=env) as server, AsyncExitStack() as open_:
        one, two = await on_both(server, open_)
        first = await reply(one, asked)
        request = answered(asked, first, "one")
        second = await reply(two, request)
        assert [call["caller"]["tool_id"] for call in calls(second)] == [first["content"][0]["id"]]
        last = await reply(two, answered(request, second, "two"))
        assert results(last)[0]["stdout"] == "one-two\n"
        begun = await reply(one, asked)
        server.kill(one.worker)
        await until(lambda: server.lost == 1, "that the parent misses it")
        lost = await reply(two, answered(asked, begun, "one"))
        assert results(lost) == [{"type": "code_execution_tool_result_error", "error_code": "unavailable"}]
        assert lost["stop_reason"] == "end_turn"
