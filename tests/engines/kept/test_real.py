"""Kept prefixes with llama.cpp itself and the built-in model: what is put back is what was read."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from antiphon.config import ModelSettings
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.engines.llamacpp import LlamaCppEngine, ModelFile
from antiphon.engines.llamacpp.kept.files import states_in
from antiphon.engines.llamacpp.kept.store import Room
from antiphon.ports.engine import Done, Generation, Keep, KeptPrefixes, Piece
from tests.engines.implementations import GREEDY
from tests.engines.kept import recurrent
from tests.engines.kept.doubles import MEBIBYTE, until
from tests.engines.shallow import TOKEN_BYTES, shallow_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

LATER = 4_000_000_000.0
WINDOW = 1024
PATIENCE = 60.0
LENGTH = 128


@asynccontextmanager
async def serving(directory: Path | None = None, model: ModelFile | None = None) -> AsyncGenerator[LlamaCppEngine]:
    """An engine with one slot, which keeps prefixes."""
    settings = ModelSettings("tiny", "builtin", context=WINDOW, parallel=1)
    room = Room(64 * MEBIBYTE, 0 if directory is None else 64 * MEBIBYTE, directory)
    engine = LlamaCppEngine(settings, model or shallow_file(), room=room)
    await engine.start()
    try:
        async with asyncio.timeout(PATIENCE):
            while (await kept(engine)).works is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield engine
    finally:
        await engine.aclose()


def prompt(*, topic: int, question: int, length: int = LENGTH) -> tuple[int, ...]:
    """A prompt of tokens that no two topics share, with a question behind them."""
    words = [1000 + (topic * 7919 + n * 104_729) % 40_000 for n in range(length)]
    return (*words, 2000 + question, 3000 + question, 4000 + question)


async def ask(engine: LlamaCppEngine, tokens: tuple[int, ...], marked: int = 0, **how: object) -> tuple[str, int]:
    """What the model says to a prompt, and how many of its tokens were not computed. `marked`: of its beginning."""
    keep = (Keep(marked, b"%d" % marked, 300, LATER),) if marked else ()
    work = structs.replace(Generation(RenderedPrompt((), tokens), 12, GREEDY, keep=keep), **how)
    text, end = "", None
    async for output in engine.generate(work):
        if isinstance(output, Piece):
            text += output.text
        elif isinstance(output, Done):
            end = output
    assert end is not None
    return text, end.cached_tokens


async def kept(engine: LlamaCppEngine) -> KeptPrefixes:
    """What is kept."""
    found = (await engine.health()).kept
    assert found is not None
    return found


@pytest.mark.promise("cache.kept-beyond-slots", "cache.kept-shared", "cache.kept-between-starts", "cache.kept-told")
async def test_a_prefix_is_read_once_whatever_comes_between(tmp_path: Path) -> None:
    first, second = (prompt(topic=1, question=n) for n in (1, 2))
    async with serving() as engine:
        plain = [(await ask(engine, tokens))[0] for tokens in (first, prompt(topic=2, question=1), second)]
    assert len(set(plain)) == 3, "a model that says the same of everything shows nothing"
    async with serving(tmp_path / "states") as engine:
        assert await ask(engine, first, LENGTH) == (plain[0], 0)
        assert await ask(engine, prompt(topic=2, question=1)) == (plain[1], 0)
        # Another conversation with the same beginning; the slot has something else.
        assert await ask(engine, second, LENGTH) == (plain[2], LENGTH)
        found = await kept(engine)
        assert (found.works, found.prefixes, found.restored, found.missed) == (True, 1, 1, 1)
        assert found.memory > LENGTH * TOKEN_BYTES
    async with serving(tmp_path / "states") as engine:
        assert await ask(engine, second, LENGTH) == (plain[2], LENGTH)
        assert (await kept(engine)).files > LENGTH * TOKEN_BYTES


@pytest.mark.promise("cache.kept-faults")
async def test_with_damaged_files_the_answer_is_the_same(tmp_path: Path) -> None:
    tokens, place = prompt(topic=1, question=1), tmp_path / "states"
    async with serving(place) as engine:
        expected, _ = await ask(engine, tokens, LENGTH)
    (path,) = (path for path, _ in states_in(place))
    data = path.read_bytes()
    for damaged in (data[:-100], data[:50_000] + bytes(100) + data[50_100:], b"", bytes(len(data))):
        path.write_bytes(damaged)
        async with serving(place) as engine:
            assert await ask(engine, tokens) == (expected, 0)
        path.write_bytes(data)
        assert path.exists()


@pytest.mark.promise("cache.kept-beyond-slots")
async def test_after_the_engine_died_a_prefix_is_there(patience: float) -> None:
    tokens = prompt(topic=1, question=1)
    async with serving() as engine:
        expected, _ = await ask(engine, tokens, LENGTH)
        await ask(engine, prompt(topic=2, question=1))
        assert engine.process is not None
        os.kill(engine.process.pid, signal.SIGKILL)
        await until(lambda: engine.process is None)
        async with asyncio.timeout(patience):
            assert await ask(engine, tokens) == (expected, LENGTH + 2)


@pytest.mark.promise("cache.kept-beyond-slots")
async def test_two_servers_in_one_process_keep_each_its_own() -> None:
    file = shallow_file()
    both = replace(file, for_tools=file.path, spares_plain_work=True)
    tokens, other = prompt(topic=1, question=1), prompt(topic=2, question=1)
    async with serving(model=both) as engine:
        assert (await ask(engine, tokens, LENGTH, plain=True))[1] == 0
        assert (await ask(engine, other, plain=True))[1] == 0
        assert (await ask(engine, tokens, LENGTH))[1] == 0
        assert (await ask(engine, other))[1] == 0
        assert [(await ask(engine, tokens, plain=plain))[1] for plain in (True, False)] == [LENGTH + 2, LENGTH + 2]
        assert (await kept(engine)).prefixes == 2


@pytest.mark.promise("cache.kept-unable")
async def test_a_model_that_keeps_no_tokens_is_found_out_at_the_start(tmp_path: Path) -> None:
    recurrent.write(tmp_path / "mamba.gguf")
    file = ModelFile(tmp_path / "mamba.gguf", "Mamba", special_tokens=frozenset({"<|end|>"}))
    tokens = tuple(n % 200 for n in range(300))
    async with serving(tmp_path / "states", file) as engine:
        found = await kept(engine)
        assert (found.works, "reads all of them anew" in found.why) == (False, True)
        for _ in range(2):
            assert (await ask(engine, tokens, 250))[0] is not None
            await ask(engine, tokens[::-1])
        assert (await kept(engine)).prefixes == 0


@pytest.mark.promise("cache.kept-unable")
@pytest.mark.parametrize(
    ("file", "why"),
    [
        (replace(shallow_file(), sliding_window=512), "sliding window"),
        (replace(shallow_file(), spares_plain_work=True), "merge_adapter"),
    ],
)
async def test_a_model_whose_files_say_that_it_cannot_keeps_nothing(file: ModelFile, why: str) -> None:
    tokens = prompt(topic=1, question=1)
    async with serving(model=file) as engine:
        found = await kept(engine)
        assert (found.works, why in found.why) == (False, True)
        await ask(engine, tokens, LENGTH)
        await ask(engine, prompt(topic=2, question=1))
        assert (await kept(engine)).prefixes == 0
