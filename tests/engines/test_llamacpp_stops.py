"""Thoughts in the embedded engine: what ends them, which tokens they have, and what is read again behind them."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from antiphon.config import ModelSettings
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.llamacpp import LlamaCppEngine
from antiphon.engines.llamacpp.client import LlamaClient, Server
from antiphon.ports.engine import Done, Generation
from tests.engines.implementations import (
    ECHO,
    GREEDY,
    LONG,
    SHORT,
    WINDOW,
    ask,
    done,
    known,
    llama_cpp,
    model_file,
    run,
    text,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOSE = "</think>"
START = "<|im_start|>"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own() -> AsyncGenerator[LlamaCppEngine]:
    """One engine for this module, with two slots that nobody else uses."""
    engine = llama_cpp(WINDOW)
    assert isinstance(engine, LlamaCppEngine)
    await engine.start()
    yield engine
    await engine.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def whole() -> AsyncGenerator[LlamaCppEngine]:
    """An engine with all layers of the model, which knows when it has said enough."""
    engine = LlamaCppEngine(ModelSettings("tiny", "builtin", context=512, parallel=1), model_file())
    await engine.start()
    yield engine
    await engine.aclose()


async def write(
    engine: LlamaCppEngine,
    grammar: str,
    stops: tuple[str, ...],
    max_tokens: int = 40,
    visible: frozenset[str] = frozenset(),
) -> tuple[str, str, tuple[int, ...], Done]:
    """What the model writes where it must write this: all text, the text whose tokens are known, these, the end."""
    prompt = await ask(engine, SHORT)
    work = Generation(prompt, max_tokens, GREEDY, f"start: {grammar}", visible, stops)
    outputs = [output async for output in engine.generate(work)]
    return text(outputs), *known(outputs), done(outputs)


async def text_of(engine: LlamaCppEngine, tokens: tuple[int, ...]) -> str:
    assert engine.process is not None
    client = LlamaClient()
    try:
        return await client.detokenize(Server(engine.process.address, engine.process.key), tokens)
    finally:
        await client.aclose()


@pytest.mark.promise("engine.stops", "engine.reusable-tokens")
@pytest.mark.parametrize(
    ("grammar", "stops", "written", "shared", "matched"),
    [
        pytest.param(f'"the sea" "{CLOSE}" "x"', (CLOSE,), "the sea", "", CLOSE, id="of several tokens"),
        pytest.param('"some" "thing"', ("mething",), "so", "so", "mething", id="inside of a token"),
        pytest.param('"sea.\\n" "</" "x"', (".\n</",), "sea", "", ".\n</", id="with a line's end"),
        pytest.param(f'"the sea" {START} "x"', (START,), "the sea", "", START, id="a control token"),
        pytest.param(f'"sea" {START} "user" "x"', (f"{START}user",), "sea", "", f"{START}user", id="one and text"),
        pytest.param(f'"the {ECHO}" "{CLOSE}"', (CLOSE,), f"the {ECHO}", ECHO, CLOSE, id="behind broken characters"),
        pytest.param(
            '"</thin" "g and" "</think" "er>"', (CLOSE,), "</thing and</thinker>", "", None, id="not at all"
        ),
    ],
)
async def test_a_thought_is_what_stands_before_its_stop_text(
    own: LlamaCppEngine, grammar: str, stops: tuple[str, ...], written: str, shared: str, matched: str | None
):
    whole, found, tokens, end = await write(own, grammar, stops)
    assert (whole, end.reason, end.matched) == (written, "stop" if matched else "end", matched)
    assert found.endswith(written.removesuffix(shared).rstrip())
    assert await text_of(own, tokens) == found


@pytest.mark.promise("engine.reusable-tokens")
async def test_a_limit_inside_of_a_stop_text_loses_nothing(own: LlamaCppEngine):
    grammar = f'"the sea" "{CLOSE}"'
    whole = (await write(own, grammar, (CLOSE,)))[3].output_tokens
    for limit in range(1, whole):
        written, found, tokens, end = await write(own, grammar, (CLOSE,), limit)
        assert (end.reason, end.output_tokens) == ("length", limit)
        assert written == found == await text_of(own, tokens)
        assert f"the sea{CLOSE}".startswith(written)
        assert len(tokens) == limit


@pytest.mark.promise("engine.reusable-tokens")
async def test_a_control_token_that_nobody_sees_is_not_in_the_tokens(own: LlamaCppEngine):
    grammar = f'"the sea" {START} " is wide" "{CLOSE}"'
    written, found, tokens, _ = await write(own, grammar, (CLOSE,))
    assert written == found == await text_of(own, tokens) == "the sea is wide"
    written, found, tokens, _ = await write(own, grammar, (CLOSE,), visible=frozenset({START}))
    assert written == found == await text_of(own, tokens) == f"the sea{START} is wide"


async def think(engine: LlamaCppEngine, prompt: RenderedPrompt) -> tuple[RenderedPrompt, int]:
    """The prompt that goes on behind a thought, and how many tokens of it were read or written before."""
    outputs = await run(engine, prompt, 30, ("§",), "start: /[A-Za-z ,.]+/")
    found, tokens = known(outputs)
    assert found == text(outputs)
    more = (Segment("\n</thinking>\n\n"),)
    before = (*prompt.tokens, *tokens)
    return RenderedPrompt(more, (*before, *await engine.tokenize(more, begins=False))), len(before)


@pytest.mark.promise("engine.thoughts-go-on")
async def test_behind_a_thought_only_its_end_is_read(own: LlamaCppEngine):
    longer, before = await think(own, await ask(own, f"{LONG} Alone. " * 3))
    # The last token was written and never read.
    assert before - 1 <= done(await run(own, longer, 2)).cached_tokens < len(longer.tokens)


@pytest.mark.promise("engine.thoughts-go-on")
async def test_others_that_wait_neither_come_before_an_answer_nor_take_its_thought(own: LlamaCppEngine):
    prompts = [await ask(own, f"{LONG} Chapter {number}. " * 3) for number in range(5)]
    order: list[int] = []

    async def answer() -> None:
        longer, before = await think(own, prompts[0])
        assert done(await run(own, longer, 2)).cached_tokens >= before - 1
        order.append(0)

    async def finish(number: int, max_tokens: int) -> None:
        await run(own, prompts[number], max_tokens)
        order.append(number)

    # One runs beside the thought all the time, so that the others can only have its slot.
    await asyncio.gather(answer(), finish(1, 120), *(finish(number, 5) for number in (2, 3, 4)))
    assert order[0] == 0


@pytest.mark.promise("engine.ends-under-a-grammar")
async def test_a_grammar_lets_the_model_end_its_turn_where_it_would(whole: LlamaCppEngine):
    """llama.cpp tells llguidance of one token that ends a text, and not always of the one that the model writes."""
    question = "What is the capital of France? Answer in one short sentence."
    free = await run(whole, await ask(whole, question), 60)
    shaped = await run(whole, await ask(whole, question), 60, grammar="start: TEXT?\nTEXT: /(?s:.+)/")
    assert done(free).reason == "end", "the question is one that the model soon has answered"
    assert (text(shaped), done(shaped).reason) == (text(free), "end")
