"""An adapter in the engine: the model computes what a second implementation says that it should."""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
import pytest_asyncio

from antiphon.config import ModelSettings
from antiphon.dialogue.rendered import Segment
from antiphon.engines.llamacpp import LlamaCppEngine, ModelFile
from antiphon.engines.llamacpp.engine import home_of
from antiphon.errors import EngineFault
from antiphon.ports.engine import Done, EngineHealth, Generation, Piece
from antiphon.weights.rewriting import plan, write
from tests.engines.implementations import GREEDY, ask
from tests.engines.shallow import LAYERS as FEW
from tests.engines.shallow import shallow_file
from tests.weights.adapter_files import Array, adapter_file, random_pairs
from tests.weights.llama_reference import Lora, read_llama, side_by_side

TEXT = (
    "The harbour was quiet at dawn. Two boats lay at the pier, and a woman in a red coat was reading the letter that "
    "her brother had sent from"
)
DEPTH, LAYERS, RANK, ALPHA, WRITTEN, LIKELIEST, HEAD = 6, (1, 3, 5), 8, 16.0, 6, 20, 64
NOISE, SEEN = 0.25, 0.6
"""Mean differences of log-probabilities: the engine multiplies with 8-bit activations, which comes to 0.06 to 0.09; the
adapter of this test makes 1.9 and more, one with its rows in the wrong order 1.1."""

Written = list[dict[str, Any]]


def engine(adapter: Path | None) -> LlamaCppEngine:
    return serving(replace(shallow_file(DEPTH), adapter=adapter))


def serving(file: ModelFile) -> LlamaCppEngine:
    return LlamaCppEngine(ModelSettings("tiny", "builtin", context=128, parallel=1), file)


async def written(made: LlamaCppEngine) -> tuple[list[int], Written]:
    """The prompt's tokens, and what the engine writes behind it: each token with those that were likeliest there."""
    await made.start()
    try:
        prompt = list(await made.tokenize((Segment(TEXT),)))
        assert made.process is not None
        body = {"prompt": prompt, "n_predict": WRITTEN, "n_probs": LIKELIEST, "temperature": 0.0, "ignore_eos": True}
        async with httpx.AsyncClient(timeout=60, headers={"authorization": f"Bearer {made.process.key}"}) as client:
            reply = await client.post(f"{made.process.address}/completion", json=body)
        reply.raise_for_status()
        return prompt, reply.json()["completion_probabilities"]
    finally:
        await made.aclose()


def mean_difference(told: Written, expected: Array) -> float:
    """How far the engine's log-probabilities are from those expected, over the likeliest tokens of every place."""
    pairs = [
        (top["logprob"], row[top["id"]])
        for place, row in zip(told, expected, strict=True)
        for top in place["top_logprobs"]
    ]
    assert len(pairs) == WRITTEN * LIKELIEST
    return float(np.mean([abs(one - other) for one, other in pairs]))


@pytest.mark.promise("adapter.two-runtimes", "adapter.is-applied")
async def test_the_engine_computes_what_the_reference_does_with_and_without_an_adapter(tmp_path: Path):
    pairs = random_pairs(LAYERS, RANK, spread=0.12)
    path = tmp_path / "random.gguf"
    path.write_bytes(adapter_file(pairs, ALPHA))
    reference = await asyncio.to_thread(read_llama, shallow_file(DEPTH).path)
    moved = {
        name: (down, side_by_side(up, len(up) // HEAD)) if re.search("attn_[qk]", name) else (down, up)
        for name, (down, up) in pairs.items()
    }

    async def compared(made: LlamaCppEngine, *loras: Lora | None) -> list[float]:
        prompt, told = await written(made)
        assert len(prompt) >= 25
        tokens = prompt + [place["id"] for place in told[:-1]]
        return [mean_difference(told, reference.log_probabilities(tokens, lora)[len(prompt) - 1 :]) for lora in loras]

    adapted, turned = Lora(pairs, ALPHA), Lora(moved, ALPHA)
    same, other = await compared(engine(None), None, adapted)
    assert same < NOISE
    assert other > SEEN, "an adapter that changes too little to be seen"
    for made in (
        engine(path),
        serving(replace(shallow_file(DEPTH), path=merged(path, tmp_path, shallow_file(DEPTH)))),
    ):
        same, without, wrong_rows = await compared(made, adapted, None, turned)
        assert same < NOISE
        assert without > SEEN
        assert wrong_rows > SEEN, "rows of q and k in another order go unnoticed"


def merged(adapter: Path | None, place: Path, model: ModelFile) -> Path:
    """The model written anew, with an adapter or without."""
    path = place / ("plain.gguf" if adapter is None else f"{adapter.stem}-merged.gguf")
    with path.open("wb") as file:
        write(plan(model.path, adapter, quicken=True), file, lambda _: None)
    return path


TOLD_FOR_EVER = "start: /(one, two, )+/"
"""A grammar that has a model write to its limit."""

QUESTIONS = (
    "Name three colours of the rainbow and say where you would see each of them in a garden.",
    "Why is the sea salty? Tell it to a child of seven years who has never been at the coast.",
)


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter with which the model says something else."""
    path = tmp_path_factory.mktemp("adapter") / "random.gguf"
    path.write_bytes(adapter_file(random_pairs(range(FEW), RANK, spread=0.12), ALPHA))
    return path


async def said(made: LlamaCppEngine, question: str, *, plain: bool) -> tuple[str, int]:
    """The beginning of the reply, and how many tokens of its prompt were cached."""
    work = Generation(await ask(made, question), 10, GREEDY, plain=plain)
    outputs = [output async for output in made.generate(work)]
    assert isinstance(outputs[-1], Done)
    return "".join(piece.text for piece in outputs if isinstance(piece, Piece)), outputs[-1].cached_tokens


async def alone(adapter: Path | None) -> list[str]:
    """What a model says that is always with the adapter, or always without."""
    settings = ModelSettings("tiny", "builtin", context=512, parallel=1)
    made = LlamaCppEngine(settings, replace(shallow_file(), adapter=adapter))
    await made.start()
    try:
        return [(await said(made, question, plain=True))[0] for question in QUESTIONS]
    finally:
        await made.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def each(changing: Path) -> tuple[list[str], list[str]]:
    """What the model says without its adapter, and what with it."""
    return await alone(None), await alone(changing)


@pytest.mark.promise("adapter.plain-is-the-base")
@pytest.mark.parametrize("parallel", [1, 3])
async def test_plain_work_is_that_of_the_model_as_it_is_whatever_runs_beside_it_and_ran_before(
    parallel: int, each: tuple[list[str], list[str]], changing: Path
):
    base, changed = each
    assert not set(base) & set(changed)
    settings = ModelSettings("tiny", "builtin", context=512, parallel=parallel)
    made = LlamaCppEngine(settings, replace(shallow_file(), adapter=changing, spares_plain_work=True))
    await made.start()
    try:
        for _ in range(2):
            # What one kind leaves behind must not be the other's beginning, least of all where there is one slot.
            for question, wanted, other in zip(QUESTIONS, base, changed, strict=True):
                assert (await said(made, question, plain=True))[0] == wanted
                assert (await said(made, question, plain=False))[0] == other
        both = [said(made, question, plain=plain) for question in QUESTIONS for plain in (True, False, True)]
        mixed = [text for text, _ in await asyncio.wait_for(asyncio.gather(*both), 60)]
        assert mixed == [base[0], changed[0], base[0], base[1], changed[1], base[1]]
        # What its own kind has left behind is: one kind of work reads nothing twice.
        await said(made, QUESTIONS[1], plain=True)
        assert (await said(made, QUESTIONS[1], plain=True))[1] > 0
    finally:
        await made.aclose()


@pytest.fixture(scope="module")
def both_files(tmp_path_factory: pytest.TempPathFactory, changing: Path) -> ModelFile:
    """The model written anew, with its adapter and without."""
    place = tmp_path_factory.mktemp("anew")
    plain, for_tools = [merged(adapter, place, shallow_file()) for adapter in (None, changing)]
    return replace(shallow_file(), path=plain, for_tools=for_tools, spares_plain_work=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both_kinds(both_files: ModelFile) -> AsyncGenerator[LlamaCppEngine]:
    """A model with one slot for each kind of work, its adapter merged."""
    made = LlamaCppEngine(ModelSettings("tiny", "builtin", context=2048, parallel=1), both_files)
    await made.start()
    yield made
    await made.aclose()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.promise("adapter.kinds-run-at-once")
@pytest.mark.parametrize("first_plain", [True, False])
async def test_work_of_each_kind_begins_and_ends_while_the_other_kind_is_at_work(
    both_kinds: LlamaCppEngine, first_plain: bool
):
    endless = Generation(await ask(both_kinds, "Count."), 1500, GREEDY, TOLD_FOR_EVER, plain=first_plain)
    async with asyncio.timeout(60), aclosing(both_kinds.generate(endless)) as outputs:
        async for output in outputs:
            if isinstance(output, Piece):
                break
        # The other kind's only slot is free: it is answered, and its own kind waits.
        text, _ = await said(both_kinds, QUESTIONS[0], plain=not first_plain)
        assert text
        waits = asyncio.ensure_future(said(both_kinds, QUESTIONS[1], plain=first_plain))
        async for _ in outputs:
            break
        assert not waits.done()
    assert (await asyncio.wait_for(waits, 60))[0]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.promise("adapter.kinds-run-at-once", "adapter.plain-is-the-base")
async def test_each_kind_has_a_model_of_its_own_and_finds_what_it_read_before(
    both_kinds: LlamaCppEngine, each: tuple[list[str], list[str]]
):
    _, changed = each
    for question, wanted in zip(QUESTIONS, changed, strict=True):
        plain, _ = await said(both_kinds, question, plain=True)
        tools, _ = await said(both_kinds, question, plain=False)
        assert plain != tools
        # The same words as from the adapter at load, but for what another form of the numbers tips.
        assert tools.split()[:2] == wanted.split()[:2]
    # One slot each: what was asked first lies in the server's own store by now, for both kinds.
    for plain in (True, False):
        assert (await said(both_kinds, QUESTIONS[0], plain=plain))[1] > 20
    assert await both_kinds.health() == EngineHealth(True, waiting=0)


@pytest.mark.promise("engine.second-is-waited-for")
async def test_the_model_for_tools_is_loaded_behind_the_other_and_work_that_needs_it_waits(both_files: ModelFile):
    settings = ModelSettings("tiny", "builtin", context=512, parallel=1)
    home = home_of(settings, both_files, soon=True)
    made = LlamaCppEngine(settings, both_files, home=home)
    try:
        child = await home.start()
        assert child.second == ""
        await child.settled(60)
        assert child.second not in ("", child.address)
    finally:
        await home.aclose()
    await made.start()
    try:
        text, _ = await said(made, QUESTIONS[0], plain=False)
        assert made.process is not None
        assert made.process.second
        assert text != (await said(made, QUESTIONS[0], plain=True))[0]
    finally:
        await made.aclose()


@pytest.mark.promise("engine.second-is-waited-for")
async def test_where_the_model_for_tools_cannot_be_loaded_its_work_fails_in_words(tmp_path: Path):
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(b"GGUF")
    file = replace(shallow_file(), for_tools=wrong, spares_plain_work=True, size=1000)
    settings = ModelSettings("tiny", "builtin", context=128, parallel=1)
    made = LlamaCppEngine(settings, file, ready_timeout=0.1)
    await made.start()
    try:
        child = made.process
        assert child is not None
        with pytest.raises(EngineFault, match="the model for work with tools or thoughts cannot be loaded"):
            await child.settled(60)
        # It took the first model's process with it: both are started again, or neither is there.
        assert "the second model's process ended" in await child.wait()
    finally:
        await made.aclose()
    # Where all is to be loaded before anybody comes, it is the start that fails.
    home = home_of(settings, file)
    with pytest.raises(EngineFault, match="for work with tools or thoughts cannot be loaded"):
        await home.start()
    assert home.child is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("killed", ["first", "second"])
@pytest.mark.promise("engine.second-is-waited-for")
async def test_both_models_processes_end_together(both_files: ModelFile, killed: str):
    home = home_of(ModelSettings("tiny", "builtin", context=128, parallel=1), both_files)
    running = await home.start()
    try:
        first = psutil.Process(running.pid)
        (second,) = first.children()
        (first if killed == "first" else second).kill()
        await asyncio.wait_for(running.wait(), 30)
        await asyncio.to_thread(second.wait, 30)
    finally:
        await home.aclose()


@pytest.mark.promise("adapter.wrong-file")
async def test_an_adapter_that_ends_early_keeps_the_engine_from_starting_and_is_named(tmp_path: Path):
    path = tmp_path / "short.gguf"
    path.write_bytes(adapter_file(random_pairs((0,)), ALPHA)[:-4096])
    made = engine(path)
    with pytest.raises(EngineFault, match=r"with the adapter .*short\.gguf: the model cannot be loaded"):
        await made.start()
