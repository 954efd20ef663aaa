"""The embedded engine where it differs from others: its process, what becomes of it, and who may talk to it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from antiphon.config import ModelSettings, SamplingSettings
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.engines.llamacpp import LlamaCppEngine, ModelFile
from antiphon.engines.llamacpp.embedded.process import EngineProcess
from antiphon.errors import EngineDied, EngineFault
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece, PrefillProgress
from tests.engines.implementations import GREEDY, LONG, WINDOW, ask, begin, closing, model_file, run
from tests.engines.shallow import shallow_file

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own() -> AsyncGenerator[LlamaCppEngine]:
    """One engine for this module: its tests kill what others share."""
    engine = LlamaCppEngine(ModelSettings("tiny", "builtin", context=WINDOW, parallel=2), shallow_file())
    await engine.start()
    yield engine
    await engine.aclose()


def process(engine: LlamaCppEngine) -> EngineProcess:
    assert engine.process is not None
    return engine.process


async def until(condition: Callable[[], Awaitable[bool]], patience: float) -> None:
    """Wait for what nothing announces."""
    async with asyncio.timeout(patience):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def exhaust(outputs: AsyncGenerator[EngineOutput]) -> None:
    async for _ in outputs:
        pass


async def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def is_idle(engine: LlamaCppEngine) -> bool:
    child = process(engine)
    headers = {"authorization": f"Bearer {child.key}"}
    async with aiohttp.ClientSession() as session, session.get(f"{child.address}/slots", headers=headers) as reply:
        return not any(slot["is_processing"] for slot in await reply.json())


def proc_file(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


async def has_died(engine: LlamaCppEngine) -> bool:
    return engine.process is None


@pytest.mark.promise("engine.restart")
async def test_a_killed_engine_ends_its_replies_and_comes_back(own: LlamaCppEngine, patience: float):
    prompt = await ask(own, LONG)
    killed = process(own).pid
    async with closing(await begin(own, prompt)) as outputs:
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(EngineDied):
            await asyncio.wait_for(exhaust(outputs), patience)
    await until(lambda: has_died(own), patience)
    health = await own.health()
    assert (health.ready, "SIGKILL" in health.detail) == (False, True)
    outputs = await asyncio.wait_for(run(own, prompt, 3), patience)
    assert outputs[-1] == Done("length", 3)
    assert process(own).pid != killed
    assert (await own.health()).ready


@pytest.mark.promise("engine.restart")
async def test_a_request_right_after_a_crash_is_answered_by_the_next_process(own: LlamaCppEngine, patience: float):
    prompt = await ask(own, LONG)
    os.kill(process(own).pid, signal.SIGKILL)
    tokens, outputs = await asyncio.wait_for(asyncio.gather(ask(own, LONG), run(own, prompt, 2)), patience)
    assert tokens == prompt
    assert outputs[-1] == Done("length", 2)


@pytest.mark.promise("engine.cancel")
async def test_giving_up_while_the_prompt_is_read_frees_the_engine(patience: float):
    # So long that all of it takes seconds.
    engine = LlamaCppEngine(ModelSettings("tiny", "builtin", context=8192, parallel=1), shallow_file(8))
    await engine.start()
    try:
        await gives_up(engine, 8000, patience)
    finally:
        await engine.aclose()


async def gives_up(engine: LlamaCppEngine, length: int, patience: float) -> None:
    token = (await ask(engine, "x")).tokens[-1]
    work = Generation(RenderedPrompt((), (token,) * length), 5, GREEDY)
    outputs = engine.generate(work)
    times: list[float] = []
    async with closing(outputs):
        async for output in outputs:
            assert isinstance(output, PrefillProgress)
            times.append(time.monotonic())
            if len(times) == 4:
                break
    step = max(later - earlier for earlier, later in pairwise(times))
    since = time.monotonic()
    await until(lambda: is_idle(engine), patience)
    # A second, or a few steps where the machine is so busy that one step takes long; there were 121 steps to go.
    assert time.monotonic() - since < max(1.0, 10 * step)


@pytest.mark.promise("engine.slow-readers")
async def test_clients_that_stop_to_read_hold_up_nobody(own: LlamaCppEngine, patience: float):
    prompt = await ask(own, LONG)
    async with closing(await begin(own, prompt, 8)) as one, closing(await begin(own, prompt, 8)) as two:
        outputs = await asyncio.wait_for(run(own, prompt, 3), patience)
        assert sum(isinstance(output, Done) for output in outputs) == 1
        for stopped in (one, two):
            assert isinstance([output async for output in stopped][-1], Done)


@pytest.mark.promise("engine.private")
@linux
async def test_the_key_is_in_no_place_where_others_look(own: LlamaCppEngine):
    child = process(own)
    assert len(child.key) >= 32
    assert not [place for place in ("cmdline", "environ") if child.key.encode() in proc_file(child.pid, place)]


@pytest.mark.promise("engine.private")
async def test_without_the_key_the_engine_does_nothing(own: LlamaCppEngine):
    address = process(own).address
    assert address.startswith("http://127.0.0.1:")
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{address}/completion", json={"prompt": "a", "n_predict": 1}) as reply:
            assert reply.status == 401
        async with session.get(f"{address}/") as reply:
            assert reply.status in (401, 404)


async def test_ctrl_c_is_left_to_the_parent(own: LlamaCppEngine):
    before = process(own).pid
    os.kill(before, signal.SIGINT)
    assert len(await run(own, await ask(own, LONG), 2)) > 2
    assert process(own).pid == before


async def test_what_ran_before_is_not_read_again(own: LlamaCppEngine):
    prompt = await ask(own, LONG)
    await run(own, prompt, 1)
    outputs = await run(own, prompt, 1)
    assert isinstance(outputs[-1], Done)
    assert outputs[-1].cached_tokens >= len(prompt.tokens) - 1


async def test_the_batch_fits_the_device(own: LlamaCppEngine):
    ready = process(own).ready
    assert ready.batch == (64 if ready.device == "CPU" else 512)
    assert ready.threads > 0


@pytest.mark.promise("engine.load-errors")
async def test_a_file_that_is_no_model_is_named(tmp_path: Path):
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"not a model")
    engine = LlamaCppEngine(ModelSettings("x", str(path)), ModelFile(path, "x"))
    with pytest.raises(EngineFault) as raised:
        await engine.start()
    assert f"{path}: the model cannot be loaded" in str(raised.value)
    assert "failed to load model" in str(raised.value)
    assert engine.process is None
    assert not (await engine.health()).ready


@pytest.mark.promise("engine.load-errors")
async def test_a_context_beyond_the_training_is_told_before_loading():
    settings = ModelSettings("tiny", "builtin", context=9000)
    engine = LlamaCppEngine(settings, model_file())
    with pytest.raises(EngineFault, match=r"models\.tiny\.context is 9000.*trained on 8192"):
        await engine.start()


@pytest.mark.promise("engine.load-errors")
async def test_a_model_that_takes_too_long_to_load_is_given_up(monkeypatch: pytest.MonkeyPatch):
    started: list[asyncio.subprocess.Process] = []
    create = asyncio.create_subprocess_exec

    async def remember(*command: str, **options: Any) -> asyncio.subprocess.Process:
        started.append(await create(*command, **options))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remember)
    engine = LlamaCppEngine(ModelSettings("tiny", "builtin"), model_file(), load_timeout=0.05)
    with pytest.raises(EngineFault, match=r"not loaded after 0\.05 s"):
        await engine.start()
    assert started[0].returncode == -signal.SIGKILL


@linux
@pytest.mark.promise("engine.takes-memory-as-used", "engine.steps-by-time")
async def test_what_conversations_will_take_is_not_taken_at_the_start_and_the_batch_is_as_the_settings_say():
    engine = LlamaCppEngine(ModelSettings("tiny", "builtin", context=8192, parallel=4, batch=72), model_file())
    await engine.start()
    try:
        assert process(engine).ready.batch == 72
        before = own_memory(process(engine).pid)
        # Four windows of 8,192 tokens, 23,040 bytes each, come to 755 MB.
        assert before < 300 * 1000**2
        prompt = await ask(engine, LONG * 60)
        await run(engine, prompt, 1)
        taken = own_memory(process(engine).pid) - before
        assert taken > len(prompt.tokens) * 23_040 // 2
    finally:
        await engine.aclose()


def own_memory(pid: int) -> int:
    """Bytes of memory that a process shares with no file and nobody."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


ZEROS = """
import ctypes, mmap
from pathlib import Path
from antiphon.engines.llamacpp.embedded.child import return_zeros

SIZE, MIB = 64 << 20, 1 << 20
native = ctypes.CDLL(None)
native.aligned_alloc.restype = native.malloc.restype = ctypes.c_void_p
native.aligned_alloc.argtypes = (ctypes.c_size_t, ctypes.c_size_t)
native.malloc.argtypes = (ctypes.c_size_t,)

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE // MIB

others = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
others[:] = bytes(SIZE)
small = native.malloc(MIB)
ctypes.memset(small, 0, MIB)
aligned, plain = native.aligned_alloc(64, SIZE), native.malloc(SIZE)
for place in (aligned, plain):
    ctypes.memset(place, 0, SIZE)
    ctypes.memset(place + SIZE // 2, 7, 10)
before = held()
return_zeros()
print(before - held())
for place in (aligned, plain):
    assert ctypes.string_at(place, SIZE) == bytes(SIZE // 2) + b"\\x07" * 10 + bytes(SIZE // 2 - 10)
    ctypes.memset(place, 1, SIZE)
    assert ctypes.string_at(place, SIZE) == b"\\x01" * SIZE
"""


@linux
@pytest.mark.promise("engine.takes-memory-as-used")
async def test_only_zeros_of_large_allocations_are_given_back_and_all_can_be_used_as_before():
    # In a process of its own, whose memory nobody else changes.
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", ZEROS, stdout=subprocess.PIPE)
    said, _ = await child.communicate()
    # Two allocations of 64 MiB, but for the few pieces that have something in them; not the mapping of the same size.
    assert 115 <= int(said) <= 128
    assert child.returncode == 0


NUMBERED = "{}. Read the test file and fix the test.\n"
NUMBERED_QUESTION = (
    "The tests of this repository fail. Fix them. Write down each step that you take in a numbered list."
)


async def written(engine: LlamaCppEngine, work: Generation) -> tuple[str, Done]:
    """The reply, and how it ended."""
    outputs = [output async for output in engine.generate(work)]
    assert isinstance(outputs[-1], Done)
    return "".join(piece.text for piece in outputs if isinstance(piece, Piece)), outputs[-1]


CIRCLE = "* Brazil\n"


@pytest.mark.promise("engine.no-circles")
async def test_a_model_with_a_guard_leaves_its_circle_and_a_request_or_a_grammar_of_its_own_keeps_it():
    settings = ModelSettings(
        "tiny", "builtin", context=512, parallel=1, sampling=SamplingSettings(temperature=0.0, dry=0.8)
    )
    engine = LlamaCppEngine(settings, model_file())
    await engine.start()
    try:
        prompt = await ask(engine, "List every country that you know.", CIRCLE * 4)

        async def circles(work: Generation) -> int:
            """How often the reply says the same line, of 40 tokens."""
            outputs = [output async for output in engine.generate(work)]
            return "".join(piece.text for piece in outputs if isinstance(piece, Piece)).count(CIRCLE)

        unguarded = await circles(Generation(prompt, 40, GREEDY))
        assert unguarded >= 8, "the model no longer goes in circles here: this test needs another circle"
        assert await circles(Generation(prompt, 40)) < unguarded - 2
        assert await circles(Generation(prompt, 40, grammar='start: ("* Brazil\\n")+')) >= 8

        counted = await ask(engine, NUMBERED_QUESTION, "".join(NUMBERED.format(number) for number in (1, 2, 3)))
        circling, _ = await written(engine, Generation(counted, 110, GREEDY))
        assert circling.count(NUMBERED[2:]) >= 6, "the model no longer counts in circles: find another list"
        ended, end = await written(engine, Generation(counted, 110))
        assert ended.count(NUMBERED[2:]) == 5
        assert (end.reason, end.output_tokens < 110) == ("end", True)
        # What was read of it is still known, and the slot free.
        again, end = await written(engine, Generation(counted, 110))
        assert (again, end.cached_tokens > 0) == (ended, True)
    finally:
        await engine.aclose()


async def test_sampling_of_the_settings_is_on_the_card():
    file = replace(model_file(), chat_template="{{ 'theirs' }}")
    settings = ModelSettings(
        "tiny", "builtin", chat_template="{{ 'mine' }}", sampling=replace(ModelSettings("", "").sampling, top_k=20)
    )
    card = LlamaCppEngine(settings, file).card
    assert (card.sampling.top_k, card.chat_template) == (20, "{{ 'mine' }}")
    assert LlamaCppEngine(ModelSettings("tiny", "builtin"), file).card.chat_template == "{{ 'theirs' }}"


async def test_an_engine_that_is_stuck_is_not_ready_and_is_ended_by_force(
    monkeypatch: pytest.MonkeyPatch, patience: float
):
    monkeypatch.setattr("antiphon.engines.llamacpp.client.HEALTH_TIMEOUT", 0.2)
    monkeypatch.setattr("antiphon.engines.llamacpp.embedded.process.STOP_TIMEOUT", 0.2)
    engine = LlamaCppEngine(ModelSettings("tiny", "builtin", context=256), shallow_file())
    await engine.start()
    child = process(engine)
    os.kill(child.pid, signal.SIGSTOP)
    # On a busy machine its threads run on for a moment: what is waited for is that the last one has stopped.
    _, status = await asyncio.wait_for(asyncio.to_thread(os.waitpid, child.pid, os.WUNTRACED), patience)
    assert os.WIFSTOPPED(status)
    health = await asyncio.wait_for(engine.health(), patience)
    assert (health.ready, health.detail) == (False, "the engine process runs and does not answer")
    await asyncio.wait_for(engine.aclose(), patience)
    assert "SIGKILL" in await asyncio.wait_for(child.wait(), patience)


PARENT = """
import asyncio
from tests.engines.implementations import llama_cpp

async def main():
    engine = llama_cpp(256)
    await engine.start()
    print(engine.process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.promise("engine.dies-with-parent")
async def test_the_engine_ends_when_its_parent_is_killed(patience: float):
    root = Path(__file__).parents[2]
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PARENT,
        cwd=root,
        # The tests of engines use the project's scripts, which pytest finds by its settings.
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "scripts"), *filter(None, sys.path)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    child = int(await asyncio.wait_for(parent.stdout.readline(), patience))
    assert not await is_gone(child)
    parent.kill()
    await parent.wait()
    await until(lambda: is_gone(child), patience)


async def test_a_piece_is_one_token_as_soon_as_it_exists(own: LlamaCppEngine):
    outputs = await run(own, await ask(own, LONG), 20)
    assert sum(isinstance(output, Piece) for output in outputs) == 20
