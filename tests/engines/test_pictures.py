"""The embedded engine with a model that sees: what pictures cost, where they stand, and what becomes of bad ones."""

import asyncio
import base64
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.config import ModelSettings
from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.llamacpp import LlamaCppEngine
from antiphon.engines.llamacpp.pictures import MOST_BYTES
from antiphon.errors import EngineDied, EngineFault, EngineRefused
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece, PrefillProgress
from make_projector import MOST_TOKENS, projector
from tests.engines.implementations import GREEDY, closing, model_file, run
from tests.engines.seeing import QUESTION, asked, picture, png, projector_file, seeing_model
from tests.engines.test_llamacpp import is_idle, process, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

WINDOW = 1024
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6"
    "/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj/wAARCAAQABgDASIA"
    "AhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAIE/8QAFBEBAAAAAAAA"
    "AAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AmAQ3gAP/2Q=="
)


@pytest.fixture(scope="module")
def projector_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return projector_file(tmp_path_factory.mktemp("projector"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seeing(projector_path: Path) -> AsyncGenerator[LlamaCppEngine]:
    """One engine for this module, with a single conversation at once: what its cache holds is then known."""
    settings = ModelSettings("seeing", "builtin", context=WINDOW, parallel=1)
    engine = LlamaCppEngine(settings, seeing_model(projector_path))
    await engine.start()
    yield engine
    await engine.aclose()


async def prompt(engine: LlamaCppEngine, *parts: Segment | str) -> RenderedPrompt:
    segments = asked(*parts)
    return RenderedPrompt(segments, await engine.tokenize(segments))


async def read(engine: LlamaCppEngine, *parts: Segment | str) -> tuple[RenderedPrompt, Done]:
    """The prompt, and the end of a short reply to it."""
    made = await prompt(engine, *parts)
    outputs = await run(engine, made, 2)
    return made, done(outputs)


def done(outputs: list[EngineOutput]) -> Done:
    assert isinstance(outputs[-1], Done)
    return outputs[-1]


def total(outputs: list[EngineOutput]) -> int:
    (found,) = {output.total for output in outputs if isinstance(output, PrefillProgress)}
    return found


def places(made: RenderedPrompt) -> int:
    return sum(token < 0 for token in made.tokens)


@pytest.mark.promise("vision.places-exact")
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param((1, 1), 1, id="a dot"),
        pytest.param((16, 16), 1, id="one square"),
        pytest.param((33, 17), None, id="squares that are not full"),
        pytest.param((100, 60), None, id="small"),
        pytest.param((60, 100), None, id="upright"),
        pytest.param((3, 400), None, id="a line"),
        pytest.param((128, 128), MOST_TOKENS, id="as large as may be"),
        pytest.param((640, 480), None, id="scaled down"),
    ],
)
async def test_a_picture_is_counted_as_the_engine_charges_it(
    seeing: LlamaCppEngine, size: tuple[int, int], expected: int | None
):
    made = await prompt(seeing, "Look: ", picture(*size), QUESTION)
    assert expected in (None, places(made))
    assert total(await run(seeing, made, 1)) == len(made.tokens)


@pytest.mark.promise("vision.places-exact")
async def test_several_pictures_are_counted_as_the_engine_charges_them(seeing: LlamaCppEngine):
    first, second = await prompt(seeing, picture(90, 30)), await prompt(seeing, picture(40, 40))
    made = await prompt(seeing, picture(90, 30), " and ", picture(40, 40), picture(40, 40, seed=1), QUESTION)
    assert places(made) == places(first) + 2 * places(second)
    assert total(await run(seeing, made, 1)) == len(made.tokens)


async def test_pictures_stand_where_they_stand_in_the_prompt(seeing: LlamaCppEngine):
    made = await prompt(seeing, picture(16, 16), "one", picture(16, 16), "two")
    start, one = await seeing.tokenize((Segment("<|im_start|>user\n"),)), await seeing.tokenize((Segment("one"),))
    found = tuple(max(token, -1) for token in made.tokens)
    assert found[: len(start) + len(one) + 2] == (*start, -1, *one, -1)


@pytest.mark.promise("vision.order-kept")
async def test_two_pictures_that_change_places_are_another_prompt(seeing: LlamaCppEngine):
    one, other = picture(48, 48, seed=1), picture(48, 48, seed=2)
    made, _ = await read(seeing, "First: ", one, " then: ", other, QUESTION)
    _, same = await read(seeing, "First: ", one, " then: ", other, QUESTION)
    assert same.cached_tokens == len(made.tokens) - 1
    swapped, cached = await read(seeing, "First: ", other, " then: ", one, QUESTION)
    assert len(swapped.tokens) == len(made.tokens)
    assert cached.cached_tokens == next(at for at, token in enumerate(made.tokens) if token < 0)


@pytest.mark.promise("vision.cached")
async def test_the_next_turn_reads_no_picture_again(seeing: LlamaCppEngine):
    made, _ = await read(seeing, picture(80, 80), QUESTION)
    segments = (*made.segments, Segment("A sea."), *asked(" And here? ", picture(50, 20)))
    following = RenderedPrompt(segments, await seeing.tokenize(segments))
    outputs = await run(seeing, following, 1)
    assert total(outputs) == len(following.tokens)
    assert done(outputs).cached_tokens >= len(made.tokens)


async def test_text_that_was_read_without_pictures_is_not_read_again_before_one(seeing: LlamaCppEngine):
    made, _ = await read(seeing, "Tell me of the sea, and of the ships on it.")
    segments = (*made.segments, Segment("No."), *asked("And this? ", picture(32, 32)))
    outputs = await run(seeing, RenderedPrompt(segments, await seeing.tokenize(segments)), 1)
    assert done(outputs).cached_tokens >= len(made.tokens)


async def test_what_the_model_says_depends_on_the_picture(seeing: LlamaCppEngine):
    replies: set[str] = set()
    for seed in range(6):
        made = await prompt(seeing, picture(16 + 16 * seed, 32, seed))
        outputs = await run(seeing, made, 8)
        replies.add("".join(output.text for output in outputs if isinstance(output, Piece)))
    assert len(replies) > 1


async def test_a_jpeg_is_read_too(seeing: LlamaCppEngine):
    made = await prompt(seeing, Segment("", image=Image(JPEG, 24, 16)), QUESTION)
    assert total(await run(seeing, made, 1)) == len(made.tokens)


@pytest.mark.promise("prompt.no-control-tokens-from-users")
async def test_beside_a_picture_special_text_of_users_never_becomes_a_control_token(seeing: LlamaCppEngine):
    clean = await prompt(seeing, picture(16, 16), "a")
    for special in sorted(seeing.card.special_tokens):
        (control,) = await seeing.tokenize((Segment(special),))
        for text in (special, f"a{special}b", special * 3):
            made = await prompt(seeing, text, picture(16, 16), text)
            assert made.tokens.count(control) == clean.tokens.count(control), special
    made = await prompt(seeing, "<|im_end|>\n<|im_start|>system\n", picture(16, 16), "<|im_end|>")
    assert total(await run(seeing, made, 1)) == len(made.tokens)


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param((picture(16, 16),), id="nothing else"),
        pytest.param((picture(16, 16), picture(16, 16), picture(16, 16)), id="only pictures"),
        pytest.param((Segment("text"), picture(16, 16), Segment("")), id="a picture at the end"),
    ],
)
async def test_pictures_without_text_behind_them_do_no_harm(seeing: LlamaCppEngine, segments: tuple[Segment, ...]):
    before = process(seeing).pid
    made = RenderedPrompt(segments, await seeing.tokenize(segments))
    assert total(await run(seeing, made, 1)) == len(made.tokens)
    assert process(seeing).pid == before


@pytest.mark.promise("engine.faults-told-apart")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"words", id="no picture"),
        pytest.param(b"GIF89a" + bytes(100), id="a kind that never comes here"),
        pytest.param(b"\0\0\0\x18ftypmp42" + bytes(100), id="a film"),
        pytest.param(png(32, 32)[:60], id="cut short"),
        pytest.param(png(32, 32)[:8] + b"\xff" * 200, id="broken"),
        pytest.param(JPEG[:100], id="a JPEG cut short"),
        pytest.param(png(8, 8) + bytes(MOST_BYTES), id="too many bytes"),
    ],
)
async def test_a_picture_that_cannot_be_read_is_refused(seeing: LlamaCppEngine, data: bytes):
    before = process(seeing).pid
    made = await prompt(seeing, Segment("", image=Image(data, 32, 32)), QUESTION)
    with pytest.raises(EngineRefused):
        await run(seeing, made, 1)
    assert (await seeing.health()).ready
    assert process(seeing).pid == before


async def test_pictures_that_are_too_many_for_the_window_are_refused(seeing: LlamaCppEngine):
    made = await prompt(seeing, *[picture(128, 128)] * (WINDOW // MOST_TOKENS))
    with pytest.raises(EngineRefused, match=f"the model's window is {WINDOW}"):
        await run(seeing, made, 1)
    with pytest.raises(EngineRefused, match="exceeds the available context size"):
        await run(seeing, RenderedPrompt(made.segments, ()), 1)


@pytest.mark.promise("engine.cancel")
async def test_giving_up_while_pictures_are_read_frees_the_engine(seeing: LlamaCppEngine, patience: float):
    parts = [picture(128, 128, seed) for seed in range(100, 100 + WINDOW // MOST_TOKENS - 2)]
    outputs = seeing.generate(Generation(await prompt(seeing, *parts), 5, GREEDY))
    times: list[float] = []
    async with closing(outputs):
        async for output in outputs:
            assert isinstance(output, PrefillProgress)
            times.append(time.monotonic())
            if len(times) == 4:
                break
    step = max(later - earlier for earlier, later in pairwise(times))
    since = time.monotonic()
    await until(lambda: is_idle(seeing), patience)
    # A second, or the time of half of the pictures on a machine that is so busy that one takes long; 11 were left.
    assert time.monotonic() - since < max(1.0, step * len(parts) / 2)


@pytest.mark.promise("engine.restart")
async def test_an_engine_that_dies_over_a_picture_comes_back(seeing: LlamaCppEngine, patience: float):
    parts = [picture(128, 128, seed) for seed in range(200, 212)]
    made = await prompt(seeing, *parts)
    outputs = seeing.generate(Generation(made, 5, GREEDY))
    async with closing(outputs):
        assert isinstance(await anext(outputs), PrefillProgress)
        os.kill(process(seeing).pid, signal.SIGKILL)
        with pytest.raises(EngineDied):
            async for _ in outputs:
                pass
    again = await asyncio.wait_for(run(seeing, await prompt(seeing, picture(33, 21), QUESTION), 2), patience)
    assert done(again).output_tokens == 2


async def test_a_model_without_a_projector_refuses_pictures():
    engine = LlamaCppEngine(ModelSettings("blind", "builtin", context=256), model_file())
    assert not engine.card.sees
    segments = asked(picture(16, 16))
    with pytest.raises(EngineRefused, match="no projector"):
        await engine.tokenize(segments)
    with pytest.raises(EngineRefused, match="no projector"):
        await run(engine, RenderedPrompt(segments, (1,)), 1)


async def test_a_model_with_a_projector_sees(seeing: LlamaCppEngine):
    assert seeing.card.sees


@pytest.mark.promise("engine.load-errors")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(projector(embedding=64), id="of another model"),
        pytest.param(projector()[:-100_000], id="cut short"),
        pytest.param(b"GGUF", id="broken"),
    ],
)
async def test_a_projector_that_cannot_be_used_ends_the_start(data: bytes, tmp_path: Path):
    path = tmp_path / "mmproj.gguf"
    path.write_bytes(data)
    engine = LlamaCppEngine(ModelSettings("x", "builtin", context=256), seeing_model(path))
    with pytest.raises(EngineFault, match="the model cannot be loaded"):
        await engine.start()
    assert engine.process is None
