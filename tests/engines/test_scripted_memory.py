"""What a scripted model has read, and what it says of that."""

import pytest

from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.scripted import ScriptedEngine
from antiphon.engines.scripted.memory import ReadPrompts
from antiphon.ports.engine import Done, Generation, PrefillProgress


def test_as_many_tokens_are_known_as_an_earlier_prompt_begins_with() -> None:
    read = ReadPrompts()
    assert read.known((1, 2, 3)) == 0
    read.add((1, 2, 3, 4))
    read.add((9, 9))
    assert read.known((1, 2, 3, 5)) == 3
    assert read.known((1, 2, 3, 4, 5, 6)) == 4
    assert read.known((9, 8)) == 1
    assert read.known((7,)) == 0
    assert read.known(()) == 0


def test_one_token_at_least_is_read_anew() -> None:
    read = ReadPrompts()
    read.add((1, 2, 3))
    assert read.known((1, 2, 3)) == 2
    assert read.known((1,)) == 0


def test_the_oldest_prompts_are_forgotten_but_not_for_one_that_goes_on() -> None:
    read = ReadPrompts(2)
    for prompt in ((1, 1), (2, 2), (2, 2, 2), (2, 2, 2, 2)):
        read.add(prompt)
    assert read.known((1, 1, 1)) == 2
    read.add((3, 3))
    assert read.known((1, 1, 1)) == 0
    read.forget()
    assert read.known((3, 3)) == 0


@pytest.mark.parametrize("length", [1, 2, 3, 64, 100, 1000])
def test_the_shared_beginning_is_exact(length: int) -> None:
    for same in {0, 1, length // 2, length - 1, length}:
        read = ReadPrompts()
        read.add(tuple(range(length)))
        assert read.known((*range(same), -1, -2)) == same


async def test_the_engine_says_at_once_what_it_need_not_read() -> None:
    engine = ScriptedEngine("m", '[[reply]]\ntext = "Hi."\nprefill_ms = 1')
    await engine.start()
    segments = (Segment("one two three four five"),)
    work = Generation(RenderedPrompt(segments, await engine.tokenize(segments)), 10)
    first = [output async for output in engine.generate(work)]
    again = [output async for output in engine.generate(work)]
    total = len(work.prompt.tokens)
    assert isinstance(first[0], PrefillProgress)
    assert isinstance(first[-1], Done)
    assert (first[0].cached, first[-1].cached_tokens) == (0, 0)
    assert again[0] == PrefillProgress(total - 1, total, total - 1)
    assert isinstance(again[-1], Done)
    assert again[-1].cached_tokens == total - 1
    engine.forget()
    assert [output async for output in engine.generate(work)] == first
    await engine.aclose()
