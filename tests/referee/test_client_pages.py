"""The pages about clients: what can be run here runs as it is printed, and the rest is at least sound."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.arch.tree import ROOT
from tests.referee.client_pages import ADDRESS, INDEX, SCRIPT, Block, blocks, pages, runs_here
from tests.referee.live import clean_env
from tests.referee.node import node
from tests.referee.test_coding_agent import agent
from tests.web.http.sockets import listening

MODULES = ROOT / "tests" / "referee" / "ts" / "node_modules"
COLORS = "Red, yellow and blue.\n"
SUNNY = "It is sunny in Paris, at 24 degrees.\n"
WAIT = 100.0


async def shell(command: str, folder: Path, **extra: str) -> str:
    """What a command prints, in a shell in a folder that is its home. Fails where it fails."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-ec", command),
        cwd=folder,
        env=clean_env({"HOME": str(folder), **extra}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WAIT):
            printed, complained = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, printed.decode() + complained.decode()
    return printed.decode()


async def run(program: Block, interpreter: str | Path, folder: Path) -> str:
    """What a page's program prints, word for word but for the port, over the script that the pages name."""
    async with listening(SCRIPT.read_text(encoding="utf-8")) as server:
        assert ADDRESS in program.text
        told = program.text.replace(ADDRESS, f"http://127.0.0.1:{server.port}")
        (folder / program.file).write_text(told, encoding="utf-8")
        return await shell(f"'{interpreter}' {program.file}", folder)


def the(program: str, kind: str) -> Block:
    """The one program of a page."""
    [found] = [block for block in blocks(kind) if block.page == program]
    return found


@pytest.mark.promise("clients.pages-run")
@pytest.mark.parametrize(
    ("page", "printed"),
    [
        ("python", COLORS + "get_weather({'city': 'Paris'})\n" + SUNNY),
        ("claude-agent-sdk", "mcp__weather__get_weather({'city': 'Paris'})\n" + SUNNY),
    ],
    ids=["the SDK", "the agent SDK"],
)
async def test_the_python_programs_print_what_the_model_says_and_calls(
    page: str, printed: str, tmp_path: Path
) -> None:
    assert await run(the(page, "python"), sys.executable, tmp_path) == printed


@pytest.mark.promise("clients.pages-run")
async def test_the_program_for_the_typescript_sdk_prints_what_the_model_says_and_calls(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(MODULES)
    printed = await run(the("typescript", "js"), node(), tmp_path)
    assert printed == COLORS + 'get_weather({"city":"Paris"})\n' + SUNNY


@pytest.mark.promise("clients.pages-run")
async def test_the_coding_agent_finds_the_server_by_the_variables_of_its_page(tmp_path: Path) -> None:
    page = (INDEX.parent / "claude-code.md").read_text(encoding="utf-8")
    exports = [line for line in page.splitlines() if re.match(r"export (ANTHROPIC|CLAUDE_CODE)_", line)]
    [console] = [block.text.splitlines() for block in blocks("console") if block.page == "claude-code"]
    commands = [line.removeprefix("$ ") for line in console if line.startswith("$ ")]
    assert len(exports) == 4
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "claude").symlink_to(agent())
    async with listening(SCRIPT.read_text(encoding="utf-8")) as server:
        told = "\n".join([*exports, *commands]).replace(ADDRESS, f"http://127.0.0.1:{server.port}")
        printed = await shell(told, tmp_path, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert printed.splitlines() == [line for line in console if not line.startswith("$ ")]


def test_no_python_program_that_could_run_here_is_left_out() -> None:
    assert [block.page for block in blocks("python") if runs_here(block)] == ["claude-agent-sdk", "python"]


def test_every_python_program_compiles() -> None:
    programs = blocks("python")
    assert len(programs) >= 8
    for program in programs:
        compile(program.text, f"{program.page}.md", "exec")


def test_settings_are_json_that_name_the_server() -> None:
    settings = blocks("json")
    assert [block.page for block in settings] == ["opencode"]
    for block in settings:
        assert f"{ADDRESS}/v1" in json.dumps(json.loads(block.text))


async def test_every_program_for_node_is_one(tmp_path: Path) -> None:
    programs = blocks("js")
    assert {program.page for program in programs} == {"typescript", "vercel-ai"}
    for program in programs:
        (tmp_path / program.file).write_text(program.text, encoding="utf-8")
        await shell(f"'{node()}' --check {program.file}", tmp_path)


@pytest.mark.promise("clients.pages")
def test_the_index_names_every_page_once() -> None:
    linked = re.findall(r"^\|.*\]\(([\w-]+)\.md\) \|$", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(linked) == [page.stem for page in pages()]


@pytest.mark.promise("clients.pages")
@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_a_page_says_how_to_install_what_was_tried_and_when_and_what_does_not_work(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    install = re.search(r"^(?:pip|npm) install .*?([@\w/-]+)(?:\[\w+\])?\"?$", text, re.MULTILINE)
    assert install is not None
    assert re.search(r"^## Limits\n\n- ", text, re.MULTILINE)
    tried = re.search(r"^Tried on 20\d\d-\d\d-\d\d with (.*)", text, re.MULTILINE)
    assert tried is not None
    assert re.search(r"\d+\.\d+\.?\d*\b", tried[1]), "no version"
