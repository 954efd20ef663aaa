"""Python that the model writes: anew for each call in the first version, going on in the newer ones."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from antiphon.compose import services
from antiphon.config import SandboxSettings
from antiphon.tools.code import python
from tests.sandbox.commands import until
from tests.web.code_app import CODE, Json, asks, code_app, first, runs
from tests.web.searching_app import invoke, kinds, says, section

FIRST: Json = {**CODE, "type": "code_execution_20250522"}
CELLS: Json = {**CODE, "type": "code_execution_20260120"}
NEWEST: Json = {**CODE, "type": "code_execution_20260521"}


def cell(code: str) -> str:
    """A call of Python, as the model writes it."""
    return section(invoke("code_execution", code=code))


def results(message: Json) -> list[Any]:
    return [block["content"] for block in message["content"] if block["type"] == "code_execution_tool_result"]


@pytest.mark.promise("code-execution.python")
async def test_the_first_version_runs_python_and_nothing_else(tmp_path: Path):
    script = says(cell("x = 6\nprint(x * 7)"), times=1) + says(cell("print(x)"), times=1) + says("Done.")
    async with code_app(tmp_path, script) as app:
        message = await app.reply(asks(tools=[FIRST]))
    assert kinds(message) == [*["server_tool_use", "code_execution_tool_result"] * 2, "text"]
    one, two = results(message)
    assert one == {
        "type": "code_execution_result",
        "stdout": "42\n",
        "stderr": "",
        "return_code": 0,
        "content": [],
    }
    assert "NameError" in two["stderr"]
    assert two["return_code"] == 1


@pytest.mark.promise("code-execution.repl")
@pytest.mark.parametrize("tool", [CELLS, NEWEST], ids=["20260120", "20260521"])
async def test_newer_versions_go_on_across_requests_beside_the_shell(tmp_path: Path, tool: Json):
    script = says(cell("x = 41\nopen('a', 'w').write('file')"), times=1) + says(runs("cat a"), times=1)
    script += says("Done.", times=1) + says(cell("print(x + 1)"), times=1) + says("Done.")
    async with code_app(tmp_path, script) as app:
        one = await app.reply(asks(tools=[tool]))
        two = await app.reply(asks("Again", tools=[tool], container=one["container"]["id"]))
    assert one["content"][3]["content"]["stdout"] == "file"
    assert results(two)[0] == {
        "type": "code_execution_result", "stdout": "42\n", "stderr": "", "return_code": 0, "content": [],
    }  # fmt: skip


@pytest.mark.promise("code-execution.repl-output")
@pytest.mark.parametrize("tool", [FIRST, CELLS], ids=["20250522", "20260120"])
async def test_files_that_python_leaves_can_be_downloaded(tmp_path: Path, tool: Json):
    code = "import os; open(os.environ['OUTPUT_DIR'] + '/b.txt', 'w').write('hi')"
    script = says(cell(code), times=1) + says(cell("print(1)"), times=1) + says("Done.")
    async with code_app(tmp_path, script) as app:
        one, two = results(await app.reply(asks(tools=[tool])))
        [made] = one["content"]
        assert made["type"] == "code_execution_output"
        assert (await app.files.get(f"/{made['file_id']}/content")).body == b"hi"
    assert two["content"] == []


@pytest.mark.promise("code-execution.repl-anew")
async def test_python_that_was_lost_or_overtaken_is_started_anew_and_says_so(tmp_path: Path):
    script = says(cell("x = 1"), times=1) + says("Done.", times=1) + says(cell("x = 2"), times=1)
    script += says("Done.", times=1) + says(cell("print(x)"), times=1) + says("Done.")
    async with code_app(tmp_path, script) as here:
        one = await here.reply(asks(tools=[CELLS]))
        id_ = one["container"]["id"]
        # What another process of this machine does, which has a Python of its own in the container since then.
        (tmp_path / id_ / "tmp" / ".python").write_text("another's")
        again, third = [await here.reply(asks(tools=[CELLS], container=id_)) for _ in range(2)]
    assert "started anew" in results(again)[0]["stderr"]
    assert results(third)[0]["stdout"] == "2\n"


@pytest.mark.promise("code-execution.cell-timeout")
@pytest.mark.parametrize(("tool", "told"), [(FIRST, "execution_time_exceeded"), (CELLS, "detection_timeout")])
async def test_python_that_takes_too_long_is_ended(
    tmp_path: Path, tool: Json, told: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(services, "code_tools", lambda: (python.Python(seconds=1.5),))
    script = says(cell("while True: pass"), times=1) + says(cell("print(2)"), times=1) + says("Done.")
    async with code_app(tmp_path, script) as app, asyncio.timeout(30):
        one, two = results(await app.reply(asks(tools=[tool])))
    if tool is FIRST:
        assert one == {"type": "code_execution_tool_result_error", "error_code": told}
    else:
        assert told in one["stderr"]
        assert one["return_code"] != 0
        assert "started anew" in two["stderr"]
    assert two["stdout"] == "2\n"


@pytest.mark.promise("code-execution.repl")
async def test_only_so_many_pythons_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(services, "code_tools", lambda: (python.Python(most=1),))
    script = "".join(says(cell(code), times=1) + says("Done.", times=1) for code in ("x = 1", "y = 2", "print(x)"))
    async with code_app(tmp_path, script) as app:
        one = await app.reply(asks(tools=[CELLS]))
        await app.reply(asks(tools=[CELLS]))
        [lost] = results(await app.reply(asks(tools=[CELLS], container=one["container"]["id"])))
    assert "started anew" in lost["stderr"]
    assert "NameError" in lost["stderr"]


async def test_a_call_without_code_is_an_error_of_its_input(tmp_path: Path):
    async with code_app(tmp_path, first(section(invoke("code_execution", code=" ")))) as app:
        [result] = results(await app.reply(asks(tools=[CELLS])))
    assert result == {"type": "code_execution_tool_result_error", "error_code": "invalid_tool_input"}


@pytest.mark.promise("code-execution.repl")
async def test_the_newer_version_can_be_forced(tmp_path: Path):
    async with code_app(tmp_path, first(cell("print('forced')"))) as app:
        choice = {"type": "tool", "name": "code_execution"}
        message = await app.reply(asks(tools=[NEWEST], tool_choice=choice))
    assert results(message)[0]["stdout"] == "forced\n"


def _is_used(id_: str) -> bool:
    """Whether any process sees the folders of this sandbox."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if id_ in (process / "mountinfo").read_text():
                return True
    return False


@pytest.mark.promise("code-execution.lifetime")
async def test_a_container_is_kept_as_long_as_the_owner_says_and_its_python_ends_when_it_is_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(services, "code_tools", lambda: (python.Python(idle=0.01),))
    script = says(cell("x = 1\nopen('a', 'w').write('kept')"), times=1) + says("Done.", times=1)
    script += says(cell("print(open('a').read())"), times=1) + says("Done.")
    async with code_app(tmp_path, script, sandbox=SandboxSettings(lifetime=1000)) as app:
        id_ = (await app.reply(asks(tools=[CELLS])))["container"]["id"]

        async def idle() -> bool:
            return not _is_used(id_)

        await until(idle)
        app.clock.time += 999
        [result] = results(await app.reply(asks(tools=[CELLS], container=id_)))
        assert result["stdout"] == "kept\n"
        assert "started anew" in result["stderr"]
        app.clock.time += 1001
        assert "does not exist or has expired" in await app.refusal(asks(tools=[CELLS], container=id_))
