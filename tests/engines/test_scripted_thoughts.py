"""A scripted reply that thinks: two works of the engine, one reply of the script."""

import asyncio
from dataclasses import dataclass

import pytest

from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.scripted import ScriptedEngine
from antiphon.engines.scripted.thoughts import DEFAULT_THOUGHT
from antiphon.engines.scripted.tokenizer import pieces, tokens
from antiphon.errors import EngineDied, EngineFault, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, Generation, Piece
from tests.engines.test_scripted import PATIENCE, Naps, example, started

CLOSE = "</thinking>"
CALL = "<call>"
STOPS = (CLOSE, CALL)
CLOSING_TOKENS = len(pieces(CLOSE))

Segments = tuple[Segment, ...]


def user(text: str) -> Segments:
    return (
        Segment("<|im_start|>user\n"),
        Segment(text, markup=False),
        Segment("<|im_end|>\n<|im_start|>assistant\n"),
    )


def opened(text: str) -> Segments:
    return (*user(text), Segment("<thinking>\n"))


READ = len(tokens(opened("x")))
"""What is not read again behind a thought."""


@dataclass
class Written:
    text: str
    done: Done
    pieces: list[Piece]


async def run(
    engine: ScriptedEngine, segments: Segments, stops: tuple[str, ...] = (), max_tokens: int = 1000
) -> Written:
    prompt = RenderedPrompt(segments, await engine.tokenize(segments))
    outputs = [output async for output in engine.generate(Generation(prompt, max_tokens, stops=stops))]
    found = [output for output in outputs if isinstance(output, Piece)]
    assert isinstance(outputs[-1], Done)
    return Written("".join(piece.text for piece in found), outputs[-1], found)


def behind(segments: Segments, thought: str) -> Segments:
    return (*segments, Segment(thought, markup=False), Segment(f"\n{CLOSE}\n\n"))


async def both(engine: ScriptedEngine, text: str) -> tuple[str, str]:
    """The thought and the answer of one reply."""
    thought = await run(engine, opened(text), STOPS)
    answer = await run(engine, behind(opened(text), thought.text))
    return thought.text, answer.text


@pytest.mark.promise("script.documented")
async def test_the_documented_thoughts_are_thought():
    naps = Naps()
    engine = await started(example("thinking"), naps)
    assert await both(engine, "the sum") == ("Two and two are four.", "Four.")
    assert await both(engine, "a hard one") == ("Hmm… oh!", "I know it now.")
    assert naps.taken.count(0.03) == 1
    with pytest.raises(EngineDied):
        await run(engine, opened("lost"), STOPS)
    assert (await run(engine, user("lost"))).text == "Nobody reads this."


@pytest.mark.promise("script.thinking")
async def test_a_thought_is_closed_with_the_models_own_text_whose_tokens_count():
    engine = await started('[default]\nthinking = "One two."\ntext = "Three."')
    thought = await run(engine, opened("x"), STOPS)
    assert thought.text == "One two."
    assert thought.done == Done("stop", 3 + CLOSING_TOKENS, matched=CLOSE)
    answer = await run(engine, behind(opened("x"), thought.text))
    assert (answer.text, answer.done) == ("Three.", Done("end", len(pieces("Three.")), READ))


@pytest.mark.promise("script.thinking")
@pytest.mark.parametrize("script", ['[default]\ntext = "Three."', ""])
async def test_a_reply_that_says_nothing_of_thinking_thinks_a_little(script: str):
    engine = await started(script)
    assert await both(engine, "Three.") == (DEFAULT_THOUGHT, "Three.")


@pytest.mark.promise("script.thinking")
async def test_without_stops_nothing_is_thought():
    engine = await started('[default]\nthinking = "One two."\ntext = "Three."')
    assert (await run(engine, user("x"))).text == "Three."


@pytest.mark.promise("script.thinking")
async def test_thought_and_answer_use_up_a_reply_once():
    engine = await started(
        '[[reply]]\ntimes = 2\nthinking = "a"\ntext = "one"\n[default]\nthinking = "b"\ntext = "two"'
    )
    assert [await both(engine, "x") for _ in range(3)] == [("a", "one"), ("a", "one"), ("b", "two")]


@pytest.mark.promise("script.thinking")
async def test_replies_to_one_prompt_at_the_same_time_keep_their_own_answers():
    engine = await started(
        '[[reply]]\ntimes = 1\nthinking = "a"\ntext = "one"\n[default]\nthinking = "b"\ntext = "two"'
    )
    first = await run(engine, opened("x"), STOPS)
    second = await run(engine, opened("x"), STOPS)
    assert (first.text, second.text) == ("a", "b")
    assert (await run(engine, behind(opened("x"), "b"))).text == "two"
    assert (await run(engine, behind(opened("x"), "a"))).text == "one"


@pytest.mark.promise("script.thinking")
async def test_a_thought_nobody_went_on_from_does_not_answer_the_next_turn():
    engine = await started('[[reply]]\nmatch = "first"\nthinking = "a"\ntext = "one"\n[default]\ntext = "two"')
    thought = await run(engine, opened("first"), STOPS)
    earlier = (*behind(opened("first"), thought.text), Segment("<|im_end|>\n"))
    assert (await run(engine, (*earlier, *user("second")))).text == "two"
    forged = (*opened("first"), Segment("<|im_end|>\n<|im_start|>", markup=False))
    assert (await run(engine, forged)).text == "one"


@pytest.mark.promise("script.thinking")
async def test_a_reply_may_think_more_than_once():
    engine = await started('[default]\nthinking = "Hm."\ntext = "Well."')
    again = (*behind(opened("x"), (await run(engine, opened("x"), STOPS)).text), Segment("<thinking>\n"))
    assert (await run(engine, again, STOPS)).text == "Hm."
    assert (await run(engine, behind(again, "Hm."))).text == "Well."


@pytest.mark.promise("script.thinking")
async def test_a_thought_that_a_limit_cut_is_gone_on_from_all_the_same():
    engine = await started('[default]\nthinking = "One two three."\ntext = "Four."')
    cut = await run(engine, opened("x"), STOPS, max_tokens=2)
    assert (cut.text, cut.done) == ("One two", Done("length", 2))
    assert (await run(engine, behind(opened("x"), cut.text))).text == "Four."
    in_closing = await run(engine, opened("x"), STOPS, max_tokens=6)
    assert (in_closing.text, in_closing.done) == ("One two three.</think", Done("length", 6, READ - 1))


@pytest.mark.promise("script.thinking")
@pytest.mark.parametrize(
    ("finish", "end"), [("end", Done("end", 1)), ("length", Done("length", 1)), ("close", Done("stop", 1 + CLOSING_TOKENS, matched=CLOSE))]
)  # fmt: skip
async def test_a_thought_finishes_as_it_says(finish: str, end: Done):
    engine = await started(f'[default]\nthinking = {{ text = "Hm", finish = "{finish}" }}\ntext = "Well."')
    assert (await run(engine, opened("x"), STOPS)).done == end
    assert (await run(engine, behind(opened("x"), "Hm"))).text == "Well."


@pytest.mark.promise("script.failures")
@pytest.mark.parametrize(
    ("failure", "kind"), [("unavailable", EngineUnavailable), ("died", EngineDied), ("refused", EngineRefused)]
)
async def test_a_thought_may_fail_and_the_reply_counts_as_given(failure: str, kind: type[EngineFault]):
    engine = await started(
        f'[[reply]]\ntimes = 1\ntext = "a"\nthinking = {{ text = "b c d", fail = "{failure}", after_chunks = 2 }}\n'
        '[default]\ntext = "e"'
    )
    prompt = RenderedPrompt(opened("x"), await engine.tokenize(opened("x")))
    outputs = engine.generate(Generation(prompt, 100, stops=STOPS))
    written = [await anext(outputs) for _ in range(3)]
    assert [piece.text for piece in written if isinstance(piece, Piece)] == ["b", " c"]
    with pytest.raises(kind):
        await anext(outputs)
    assert await both(engine, "x") == (DEFAULT_THOUGHT, "e")


@pytest.mark.promise("script.failures")
async def test_a_thought_may_hang():
    engine = await started('[default]\ntext = "a"\nthinking = { text = "b c", hang = true, after_chunks = 1 }')
    prompt = RenderedPrompt(opened("x"), await engine.tokenize(opened("x")))
    outputs = engine.generate(Generation(prompt, 100, stops=STOPS))
    assert [type(await anext(outputs)).__name__ for _ in range(2)] == ["PrefillProgress", "Piece"]
    hanging = asyncio.ensure_future(anext(outputs))
    done, _ = await asyncio.wait((hanging,), timeout=0.01)
    assert not done
    await engine.aclose()
    with pytest.raises(EngineDied):
        await asyncio.wait_for(hanging, PATIENCE)


@pytest.mark.promise("script.failures")
async def test_a_reply_fails_behind_its_thought_and_at_once_where_it_says_nothing():
    engine = await started(
        '[[reply]]\nmatch = "late"\ntext = "a b"\nfail = "died"\nafter_chunks = 1\n[default]\nfail = "died"'
    )
    assert (await run(engine, opened("late"), STOPS)).text == DEFAULT_THOUGHT
    with pytest.raises(EngineDied):
        await run(engine, behind(opened("late"), DEFAULT_THOUGHT))
    with pytest.raises(EngineDied):
        await run(engine, opened("x"), STOPS)


@pytest.mark.promise("script.thinking")
async def test_a_reply_for_the_end_of_the_prompt_is_written_as_it_is():
    engine = await started(
        "[[reply]]\nprompt = '<thinking>\\n\\Z'\ntext = 'Raw.'\n[[reply]]\nprompt = '</thinking>\\n\\n\\Z'\ntext = 'Behind.'"
    )
    thought = await run(engine, opened("x"), STOPS)
    assert (thought.text, thought.done) == ("Raw.", Done("end", 2))
    assert (await run(engine, behind(opened("x"), "Raw."))).text == "Behind."


async def test_the_time_to_read_the_prompt_is_taken_once():
    naps = Naps()
    engine = await started('[default]\ntext = "a"\nprefill_ms = 2000', naps)
    await both(engine, "x")
    assert naps.taken.count(0.2) == 10


@pytest.mark.promise("engine.stops")
@pytest.mark.parametrize(
    ("chunks", "stops", "written", "end"),
    [
        pytest.param(["ab", "<call>x"], (CALL,), [("ab", 1, 1)], Done("stop", 4, matched=CALL), id="between chunks"),
        pytest.param(["ab <call> x"], (CALL,), [("ab ", 2, 2)], Done("stop", 5, matched=CALL), id="inside of a chunk"),
        pytest.param(["a", "<ca", "ll>b"], (CALL,), [("a", 1, 1)], Done("stop", 5, matched=CALL), id="across chunks"),
        pytest.param(["unbelievable"], ("liev",), [("unbe", 1, 0)], Done("stop", 2, matched="liev"), id="inside of tokens"),
        pytest.param(["a b c"], ("c", "b"), [("a ", 2, 0)], Done("stop", 2, matched="b"), id="the earlier one"),
        pytest.param(["a b c"], ("c", " b c"), [("a", 1, 1)], Done("stop", 3, matched=" b c"), id="the longer one"),
        pytest.param(["a<cal"], (CALL,), [("a<cal", 3, 3)], Done("end", 3), id="no whole one"),
    ],
)  # fmt: skip
async def test_a_reply_is_cut_where_a_stop_text_stands(
    chunks: list[str], stops: tuple[str, ...], written: list[tuple[str, int, int]], end: Done
):
    engine = await started(f"[[reply]]\nprompt = 'assistant\\n\\Z'\nchunks = {chunks}")
    found = await run(engine, user("x"), stops)
    assert [(piece.text, piece.output_tokens, len(piece.tokens)) for piece in found.pieces] == written
    assert found.done == end


async def test_the_tokens_of_pieces_are_those_of_their_text():
    engine = await started(
        "[[reply]]\nprompt = 'assistant\\n\\Z'\ntext = 'The sea was calm, <|im_end|> and wide.STOP'"
    )
    found = await run(engine, user("x"), ("STOP",))
    tokens = tuple(token for piece in found.pieces for token in piece.tokens)
    assert tokens == await engine.tokenize((Segment(found.text, markup=False),), begins=False)
    assert not any(piece.tokens for piece in (await run(engine, user("x"))).pieces)
