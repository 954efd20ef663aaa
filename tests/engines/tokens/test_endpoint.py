"""One engine at one URL: what it is told, when its work ends, and what is made of each of its faults."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.engines.remote.tokens.endpoint import TokenEndpoint
from antiphon.errors import EngineDied, EngineFault, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece, PrefillProgress
from tests.engines.implementations import TALE
from tests.engines.token_engines.engine import endpoint
from tests.engines.token_engines.serving import PlayedEngine
from tests.engines.token_engines.sglang import PlayedSglang
from tests.engines.token_engines.vllm import PlayedVllm

SCRIPT = f"""
[model]
[[reply]]
prompt = "sea"
text = "{TALE * 6}"
[[reply]]
prompt = "control"
text = "one<|im_start|>two"
"""
PATIENCE = 20.0


def completions() -> PlayedEngine:
    played = PlayedVllm(SCRIPT)
    played.scale_out = False
    return played


PLAYED: dict[str, Callable[[], PlayedEngine]] = {
    "completions": completions,
    "generate": lambda: PlayedVllm(SCRIPT),
    "sglang": lambda: PlayedSglang(SCRIPT),
}
each = pytest.mark.parametrize("name", PLAYED)


@asynccontextmanager
async def learnt(played: PlayedEngine) -> AsyncGenerator[TokenEndpoint]:
    """The engine, started and learnt; what was asked for that is forgotten."""
    async with played:
        made = endpoint(played)
        await made.learn()
        played.asked.clear()
        try:
            yield made
        finally:
            await made.aclose()


async def work(made: TokenEndpoint, text: str = "sea", max_tokens: int = 20, **more: Any) -> Generation:
    segments = (Segment(text),)
    prompt = RenderedPrompt(segments, await made.tokenize(segments))
    return Generation(prompt, max_tokens, Sampling(temperature=0.0), **more)


async def run(made: TokenEndpoint, asked: Generation) -> list[EngineOutput]:
    async with asyncio.timeout(PATIENCE):
        return [output async for output in made.generate(asked, asked.max_tokens)]


def text(outputs: list[EngineOutput]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, Piece))


@each
@pytest.mark.promise("remote-tokens.stops")
async def test_more_stop_texts_than_an_engine_takes_are_found_all_the_same(name: str):
    played = PLAYED[name]()
    async with learnt(played) as made:
        stops = tuple(f"never {number}" for number in range(40))
        outputs = await run(made, await work(made, stops=(*stops, "calm", "morning")))
        assert outputs[-1] == Done("stop", outputs[-1].output_tokens, 0, "calm")  # pyright: ignore
        assert text(outputs) == "The sea was "
        body = played.asked[0].body
        sent = body.get("sampling_params", body)["stop"]
        assert len(sent) == {"completions": 4, "generate": 42, "sglang": 32}[name]
        async with asyncio.timeout(PATIENCE):
            await played.until_free()
        assert len(played.asked[0].ids) < 40


@each
@pytest.mark.promise("remote-tokens.stops")
async def test_a_stop_text_in_a_hidden_control_token_ends_nothing(name: str):
    async with learnt(PLAYED[name]()) as made:
        outputs = await run(made, await work(made, "control", stops=("im_", "|")))
        assert (text(outputs), outputs[-1]) == ("onetwo", Done("end", 4))
        outputs = await run(made, await work(made, "control", visible=frozenset({"<|im_start|>"})))
        assert text(outputs) == "one<|im_start|>two"
        outputs = await run(made, await work(made, "control", stops=("<|im_start|>",)))
        assert (text(outputs), outputs[-1].matched) == ("one", "<|im_start|>")  # pyright: ignore


@each
@pytest.mark.promise("remote-tokens.cached-tokens")
async def test_cached_tokens_are_those_that_the_engine_counts(name: str):
    async with learnt(PLAYED[name]()) as made:
        asked = await work(made, "sea " * 100, stops=("calm",), tenant="one")
        first, again = [(await run(made, asked))[-1] for _ in range(2)]
        other = (await run(made, replace(asked, tenant="two")))[-1]
        cached = [end.cached_tokens for end in (first, again, other) if isinstance(end, Done)]
        assert cached == [0, (len(asked.prompt.tokens) - 1) // 16 * 16, 0]
        limited = (await run(made, replace(asked, stops=(), max_tokens=0)))[-1]
        assert limited == Done("length", 0, cached[1])


@each
async def test_a_conversation_is_named_to_routers(name: str):
    played = PLAYED[name]()
    async with learnt(played) as made:
        await run(made, await work(made, max_tokens=1, conversation="talk-1"))
        await run(made, await work(made, max_tokens=1))
        headers = [{key.lower(): value for key, value in asked.headers.items()} for asked in played.asked]
        assert [each.get("x-session-id") for each in headers] == ["talk-1", None]


@each
async def test_the_whole_prompt_is_read_when_the_first_token_comes(name: str):
    async with learnt(PLAYED[name]()) as made:
        asked = await work(made)
        outputs = await run(made, asked)
        total = len(asked.prompt.tokens)
        assert outputs[0] == PrefillProgress(total, total)
        assert sum(isinstance(output, PrefillProgress) for output in outputs) == 1


@each
@pytest.mark.promise("engine.cancel")
async def test_work_that_is_closed_ends_in_the_engine(name: str):
    played = PLAYED[name]()
    async with learnt(played) as made:
        for _ in range(2):
            async with aclosing(made.generate(await work(made, max_tokens=1000), 1000)) as outputs:
                async for output in outputs:
                    if isinstance(output, Piece):
                        break
        # SGLang would go on for two seconds behind a closed stream.
        async with asyncio.timeout(1.5):
            await played.until_free()
        assert len(played.asked) == 2
    if isinstance(played, PlayedSglang):
        assert played.told == [asked.id for asked in played.asked]


@each
@pytest.mark.promise("remote-tokens.faults")
async def test_an_error_in_a_stream_that_has_begun_well_is_that_error(name: str):
    played = PLAYED[name]()
    async with learnt(played) as made:
        with pytest.raises(EngineRefused, match="400"):
            await run(made, await work(made, grammar="start: ("))
        for length in (played.window, played.window + 10):  # SGLang finds them in two places
            long = replace(await work(made), prompt=RenderedPrompt((), (5,) * length))
            with pytest.raises(EngineRefused, match="400"):
                await run(made, long)


@pytest.mark.promise("remote-tokens.faults")
@pytest.mark.parametrize("late", [False, True])
async def test_an_engine_that_is_full_has_not_begun(late: bool):
    played = PlayedVllm(SCRIPT)
    async with learnt(played) as made:
        played.full, played.late = True, late
        with pytest.raises(EngineUnavailable, match=r"503.*busy"):
            await run(made, await work(made))
    other = PlayedSglang(SCRIPT)
    async with learnt(other) as made:
        other.full = True
        with pytest.raises(EngineUnavailable, match=r"503.*queue is full"):
            await run(made, await work(made))


@each
@pytest.mark.promise("remote-tokens.faults")
async def test_an_engine_that_is_lost_in_a_reply_has_died(name: str):
    played = PLAYED[name]()
    async with learnt(played) as made:
        played.hangs_after = 5
        asked = await work(made)

        async def read() -> None:
            async with asyncio.timeout(PATIENCE), aclosing(made.generate(asked, 20)) as outputs:
                async for output in outputs:
                    if isinstance(output, Piece) and output.output_tokens == 5:
                        await played.stop()

        with pytest.raises(EngineDied):
            await read()


async def test_an_engine_that_aborts_the_work_itself_has_died():
    for played in (PlayedVllm(SCRIPT), PlayedSglang(SCRIPT)):
        async with learnt(played) as made:
            with pytest.raises(EngineFault, match="middle of a reply"):
                await abort_behind_the_first_token(played, made)


@pytest.mark.promise("remote-tokens.faults")
async def test_a_model_whose_numbers_are_lost_has_died_and_met_no_stop_text():
    played = PlayedSglang(SCRIPT)
    async with learnt(played) as made:
        played.lost = True
        with pytest.raises(EngineDied, match="NaN happened"):
            await run(made, await work(made, max_tokens=1000))


async def abort_behind_the_first_token(played: PlayedEngine, made: TokenEndpoint) -> None:
    async with aclosing(made.generate(await work(made), 20)) as outputs:
        async for _ in outputs:
            played.asked[0].aborted.set()


async def test_comments_that_keep_a_stream_alive_are_nothing():
    played = PlayedVllm(SCRIPT)
    async with learnt(played) as made:
        played.keeps_alive = True
        assert text(await run(made, await work(made, max_tokens=4))) == "The sea was calm"


@pytest.mark.promise("remote-tokens.no-hidden-settings")
async def test_what_the_owner_says_of_sampling_holds_where_a_request_is_silent():
    async with PlayedVllm(SCRIPT) as played:
        engine = RemoteEngine(Wishes("tiny", sampling=Sampling(0.25, None, 3)), [endpoint(played)])
        await engine.start()
        segments = (Segment("sea"),)
        prompt = RenderedPrompt(segments, await engine.tokenize(segments))
        async for _ in engine.generate(Generation(prompt, 2, Sampling(temperature=0.5))):
            pass
        params = played.asked[-1].body["sampling_params"]
        assert [params[key] for key in ("temperature", "top_p", "top_k")] == [0.5, 1.0, 3]
        await engine.aclose()


async def test_long_texts_are_tokenized_beside_the_loop():
    async with learnt(PlayedVllm(SCRIPT)) as made:
        words = 5000
        asked = asyncio.create_task(made.tokenize((Segment("\n".join(["sea"] * words)),)))
        turns = 0
        while not asked.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 1
        assert len(await asked) == 2 * words - 1
