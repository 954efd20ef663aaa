"""A Python that goes on from cell to cell, in a real sandbox: what it keeps, says, asks, and how it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from antiphon.config import SandboxSettings
from antiphon.ports.sandbox import Limits, Sandbox, SandboxProblem
from antiphon.sandbox.choosing import choose
from antiphon.tools.code.repl import Calls, Ended, Outcome, Repl, Stopped

LIMITS = Limits(memory=256 << 20, processes=64, disk=16 << 20, files=1000, file_size=16 << 20)
LOOK = {"look_up": "look-up"}


@asynccontextmanager
async def sandbox(folder: Path) -> AsyncGenerator[Sandbox]:
    driver, tried = await choose(SandboxSettings(driver="bubblewrap"), folder, None)
    assert driver is not None, tried
    try:
        yield await driver.open("one", LIMITS)
    finally:
        await driver.aclose()


@asynccontextmanager
async def python(folder: Path, *, seconds: float = 30.0, patience: float = 30.0) -> AsyncGenerator[Repl]:
    async with sandbox(folder) as box, asyncio.timeout(60):
        repl = await Repl.start(box, "mark", seconds=seconds, patience=patience)
        try:
            yield repl
        finally:
            await repl.aclose()


def printed(outcome: Outcome) -> str:
    assert isinstance(outcome, Ended), outcome
    assert (outcome.stderr, outcome.return_code) == ("", 0)
    return outcome.stdout


def asked(outcome: Outcome) -> dict[int, object]:
    assert isinstance(outcome, Calls), outcome
    assert {call.name for call in outcome.calls} == {"look-up"}
    return {call.key: call.input for call in outcome.calls}


@pytest.mark.promise("code-execution.repl")
async def test_cells_share_their_names_and_say_what_went_wrong(tmp_path: Path):
    async with python(tmp_path) as repl:
        assert printed(await repl.begin("import asyncio\nx = 20\nprint(__name__)", {})) == "__main__\n"
        assert printed(await repl.begin("await asyncio.sleep(0)\nprint(x + 1)", {})) == "21\n"
        assert printed(await repl.begin("import os; _ = os.system('echo from below')", {})) == "from below\n"
        inner = "async def f(): return 4\nprint(asyncio.run(f()))"
        assert printed(await repl.begin(inner, {})) == "4\n"
        failed = await repl.begin("def f(n):\n    return n / 0\nprint('before'); f(x)", {})
        assert isinstance(failed, Ended)
        assert (failed.stdout, failed.return_code) == ("before\n", 1)
        assert "return n / 0" in failed.stderr
        assert "ZeroDivisionError" in failed.stderr
        assert "runner" not in failed.stderr
        wrong, left = await repl.begin("x +", {}), await repl.begin("raise SystemExit(3)", {})
        assert isinstance(wrong, Ended)
        assert "SyntaxError" in wrong.stderr
        assert isinstance(left, Ended)
        assert left.return_code == 3
        assert printed(await repl.begin("print(x)", {})) == "20\n"


@pytest.mark.promise("code-execution.repl-output")
async def test_the_output_folder_is_empty_for_each_cell_also_for_one_that_stands_in_it(tmp_path: Path):
    async with python(tmp_path) as repl:
        code = (
            "import os; os.chdir(os.environ['OUTPUT_DIR']); os.mkdir('d'); open('d/a', 'w').close(); open('b', 'w')"
        )
        await repl.begin(code, {})
        assert printed(await repl.begin("print(os.listdir('.')); open('c', 'w').close()", {})) == "[]\n"
        assert printed(await repl.begin("print(os.listdir(os.environ['OUTPUT_DIR']))", {})) == "[]\n"


@pytest.mark.promise("code-execution.repl")
async def test_code_asks_and_goes_on_with_the_answers(tmp_path: Path):
    async with python(tmp_path) as repl:
        code = (
            "import asyncio\n"
            "one = await look_up({'q': 1})\n"
            "more = await asyncio.gather(look_up({'q': 2}), look_up(q=3), return_exceptions=True)\n"
            "print(one, *more)"
        )
        first = asked(await repl.begin(code, LOOK))
        assert list(first.values()) == [{"q": 1}]
        both = asked(await repl.answer(dict.fromkeys(first, "a")))
        assert list(both.values()) == [{"q": 2}, {"q": 3}]
        assert printed(await repl.answer(dict(zip(both, ("b", "c"), strict=True)))) == "a b c\n"
        alone = asked(await repl.begin("async def f(): print(await look_up())\nasyncio.run(f())", LOOK))
        assert printed(await repl.answer(dict.fromkeys(alone, "d"))) == "d\n"
        gone = await repl.begin("await look_up()", {})
        assert isinstance(gone, Ended)
        assert "NameError" in gone.stderr


@pytest.mark.promise("code-execution.repl")
async def test_a_call_that_nobody_answers_is_a_timeout_in_the_code(tmp_path: Path):
    async with python(tmp_path, patience=0.3) as repl:
        asked(await repl.begin("await look_up({})", LOOK))
        # The cell has not to be asked again: it goes on by itself, and what it came to is there when it is looked at.
        late = await repl.answer({99: "nobody's"})
        assert late == Ended(
            stdout="", stderr="TimeoutError: Calling tool ['look-up'] timed out (no response after 0.3s).\n",
            return_code=0,
        )  # fmt: skip
        code = "try:\n    await look_up()\nexcept TimeoutError as late:\n    print('caught')"
        asked(await repl.begin(code, LOOK))
        assert printed(await repl.answer({1: "too late"})) == "caught\n"


@pytest.mark.promise("code-execution.cell-timeout")
async def test_a_cell_that_takes_too_long_ends_with_its_process(tmp_path: Path):
    async with python(tmp_path, seconds=1.5) as repl:
        assert await repl.begin("while True: pass", {}) == Stopped("time", 124, "")
        with pytest.raises(SandboxProblem, match=r".*"):
            await repl.begin("print(1)", {})


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import os; os.write(2, b'bye'); os._exit(7)", "7"),
        ("a = bytearray(1 << 30)", "MemoryError"),
        ("open('big', 'wb').write(bytes(15 << 20)); open('two', 'wb').write(bytes(15 << 20))", "disk"),
    ],
)
async def test_a_cell_that_ends_its_process_or_takes_too_much_is_told(tmp_path: Path, code: str, ended: str):
    async with python(tmp_path) as repl:
        outcome = await repl.begin(f"{code}\nimport time; time.sleep(20)", {})
        assert ended in str(outcome)


HOSTILE = {
    "no JSON": "b'\\0\\0\\0\\1x'",
    "too much": "b'\\xff\\xff\\xff\\xff'",
    "no frame": "b'\\0\\0\\0\\2{}'",
    "another's call": """__import__('struct').pack('>I', 48) + b'{"calls": [{"key":1, "name":"other", "input":{}}]}'""",
    "a wrong status": """__import__('struct').pack('>I', 51) + b'{"ended":{"stdout":"","stderr":"","return_code":900}}'""",
}


@pytest.mark.promise("code-execution.hostile-python")
@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)
async def test_code_that_speaks_for_its_python_gets_nothing_but_an_end(tmp_path: Path, said: str):
    async with python(tmp_path) as repl:
        code = (
            "import os, stat\n"
            "for n in range(3, 20):\n"
            "    try:\n        if stat.S_ISFIFO(os.fstat(n).st_mode): os.write(n, SAID)\n"
            "    except OSError: pass\n"
            "import time; time.sleep(20)"
        )
        outcome = await repl.begin(code.replace("SAID", said), LOOK)
        assert isinstance(outcome, Stopped)


async def test_output_is_cut_and_odd_characters_are_told(tmp_path: Path):
    async with python(tmp_path) as repl:
        outcome = await repl.begin("print('a' * 400_000); import os; os.write(2, b'\\xff'); f'{chr(0xd800)}'", {})
        assert isinstance(outcome, Ended)
        assert (len(outcome.stdout), outcome.stderr) == (256 * 1024, "\ufffd")
