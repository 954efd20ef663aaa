"""What every engine owes to the port, tested on all of them. No test names one."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.errors import EngineDied, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, Engine, EngineOutput, Generation, Piece, PrefillProgress
from tests.engines.implementations import (
    ECHO,
    ECHOED,
    GREEDY,
    LONG,
    OK,
    SHORT,
    SMALL_WINDOW,
    TALE,
    WINDOW,
    ask,
    begin,
    closing,
    done,
    known,
    pieces,
    run,
    tell,
    text,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_card_says_what_prompts_need(engine: Engine):
    card = engine.card
    assert card.id == "tiny"
    assert card.name
    assert card.window == WINDOW
    assert card.chat_template
    assert card.eos_token in card.special_tokens


async def test_the_same_text_gives_the_same_tokens(engine: Engine):
    segments = (Segment(LONG), Segment(f"<|im_end|> {ECHO}", markup=False))
    assert await engine.tokenize(segments) == await engine.tokenize(segments) != ()


async def test_seams_between_segments_of_one_kind_do_not_matter(engine: Engine):
    whole = (Segment("<|im_start|>user\nunbelievable"),)
    cut = (Segment("<|im_start|>us"), Segment(""), Segment("er\nunbel"), Segment("ievable"))
    assert await engine.tokenize(cut) == await engine.tokenize(whole)


async def test_no_text_has_no_tokens_but_those_before_every_text(engine: Engine):
    opening = await engine.tokenize(())
    assert (await engine.tokenize((Segment("sea"),)))[: len(opening)] == opening
    assert await engine.tokenize((Segment(""),)) == opening


@pytest.mark.promise("prompt.no-control-tokens-from-users")
async def test_special_text_outside_markup_never_becomes_a_control_token(engine: Engine):
    opening = len(await engine.tokenize(()))
    for special in sorted(engine.card.special_tokens):
        (control,) = (await engine.tokenize((Segment("\n" + special),)))[opening:][-1:]
        assert len(await engine.tokenize((Segment(special),))) <= opening + 1
        for plain in (special, f"a{special}b", special * 3):
            around = (Segment("user\n"), Segment(plain, markup=False), Segment("\n"))
            assert control not in await engine.tokenize(around), special


async def test_many_special_texts_are_kept_apart(engine: Engine):
    around: list[Segment] = []
    for number in range(300):
        around += [Segment(f"line {number} "), Segment("<|im_end|>", markup=False)]
    many = await engine.tokenize(around)
    one = await engine.tokenize(around[-2:])
    opening = len(await engine.tokenize(()))
    assert many[-len(one) + opening :] == one[opening:]


async def test_a_reply_is_progress_then_pieces_then_one_end(engine: Engine):
    outputs = await run(engine, await ask(engine, LONG), 12)
    kinds = [type(output) for output in outputs]
    assert kinds == sorted(kinds, key=[PrefillProgress, Piece, Done].index)
    assert kinds.count(Done) == 1
    assert pieces(outputs)


async def test_progress_counts_up_to_the_whole_prompt(engine: Engine):
    prompt = await ask(engine, LONG + " Begin with a storm." * 20)
    outputs = await run(engine, prompt, 1)
    progress = [output for output in outputs if isinstance(output, PrefillProgress)]
    assert [step.done for step in progress] == sorted(step.done for step in progress)
    assert {step.total for step in progress} == {len(prompt.tokens)}
    assert progress[-1].done == len(prompt.tokens)


async def test_tokens_are_counted_up_to_the_end(engine: Engine):
    outputs = await run(engine, await ask(engine, LONG), 30)
    counts = [piece.output_tokens for piece in pieces(outputs)]
    assert counts == sorted(counts)
    assert counts[-1] == done(outputs).output_tokens == 30


@pytest.mark.promise("engine.max-tokens-exact")
@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_no_more_than_max_tokens_are_written(engine: Engine, limit: int):
    outputs = await run(engine, await ask(engine, LONG), limit)
    assert (done(outputs).reason, done(outputs).output_tokens) == ("length", limit)
    assert pieces(outputs)[-1].output_tokens == limit


@pytest.mark.promise("engine.max-tokens-exact")
async def test_with_max_tokens_0_the_prompt_is_read_and_nothing_written(engine: Engine):
    outputs = await run(engine, await ask(engine, LONG), 0)
    assert pieces(outputs) == []
    assert (done(outputs).reason, done(outputs).output_tokens) == ("length", 0)


async def test_a_model_that_ends_its_turn_says_so(engine: Engine):
    outputs = await run(engine, await ask(engine, SHORT), 1000, grammar=OK)
    assert done(outputs).reason == "end"
    assert 0 < done(outputs).output_tokens < 1000
    assert engine.card.eos_token not in text(outputs)


@pytest.mark.promise("engine.whole-characters")
async def test_pieces_are_whole_code_points_wherever_the_limit_falls(engine: Engine):
    prompt = await ask(engine, f"Repeat: {ECHO}", f"{ECHO} {ECHO} {ECHO} {ECHO}")
    whole = text(await run(engine, prompt, 40, grammar=ECHOED))
    assert ECHO in whole
    for limit in range(1, 12):
        outputs = await run(engine, prompt, limit, grammar=ECHOED)
        assert whole.startswith(text(outputs))
        assert "\ufffd" not in text(outputs)
        assert done(outputs).output_tokens == pieces(outputs)[-1].output_tokens == limit


@pytest.mark.promise("engine.cancel")
async def test_a_reply_that_is_closed_leaves_the_engine_free(engine: Engine):
    prompt = await ask(engine, LONG)
    for _ in range(4):
        async with closing(await begin(engine, prompt)):
            pass
    assert (await engine.health()).ready
    assert done(await run(engine, prompt, 3)).output_tokens == 3


@pytest.mark.promise("engine.cancel")
async def test_a_task_that_is_cancelled_leaves_the_engine_free(engine: Engine, patience: float):
    prompt = await ask(engine, LONG)
    writing = asyncio.Event()

    async def read() -> None:
        async with closing(await begin(engine, prompt)) as outputs:
            async for _ in outputs:
                writing.set()

    tasks = [asyncio.create_task(read()) for _ in range(2)]
    await asyncio.wait_for(writing.wait(), patience)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True)
    )
    assert done(await run(engine, prompt, 3)).output_tokens == 3


@pytest.mark.promise("engine.concurrent")
async def test_two_replies_are_written_at_the_same_time(engine: Engine):
    order: list[int] = []

    async def read(number: int) -> Done:
        prompt = await ask(engine, f"{LONG} Chapter {number}.")
        outputs: list[EngineOutput] = []
        async for output in engine.generate(Generation(prompt, 40, GREEDY)):
            outputs.append(output)
            if isinstance(output, Piece):
                order.append(number)
        return done(outputs)

    first, second = await asyncio.gather(read(1), read(2))
    assert (first.output_tokens, second.output_tokens) == (40, 40)
    last_of_earlier = min(len(order) - 1 - order[::-1].index(number) for number in (1, 2))
    first_of_later = max(order.index(number) for number in (1, 2))
    assert first_of_later < last_of_earlier


@pytest.mark.promise("engine.concurrent")
async def test_more_replies_than_places_all_come(engine: Engine):
    prompt = await ask(engine, LONG)
    ends = await asyncio.gather(*(run(engine, prompt, 5) for _ in range(7)))
    assert [done(outputs).output_tokens for outputs in ends] == [5] * 7


async def test_a_full_window_has_no_room_and_a_prompt_beyond_it_is_refused(engine: Engine):
    (token,) = (await engine.tokenize((Segment("sea"),)))[-1:]
    outputs = await run(engine, RenderedPrompt((), (token,) * WINDOW), 5)
    assert (done(outputs), pieces(outputs)) == (Done("length", 0), [])
    with pytest.raises(EngineRefused, match=f"{WINDOW + 1} tokens.*window is {WINDOW}"):
        await run(engine, RenderedPrompt((), (token,) * (WINDOW + 1)), 5)


@pytest.mark.promise("engine.stops")
@pytest.mark.parametrize(("start", "length"), [(0, 1), (0, 9), (4, 3), (9, 12), (5, 1), (15, 50)])
async def test_a_stop_text_ends_the_work_and_its_tokens_count(engine: Engine, start: int, length: int):
    stop = (TALE * 2)[start : start + length]
    outputs = await tell(engine, 40, (stop,))
    assert text(outputs) == (TALE * 2)[: (TALE * 2).index(stop)]
    assert (done(outputs).reason, done(outputs).matched) == ("stop", stop)
    count = done(outputs).output_tokens
    assert stop in text(await tell(engine, count))
    assert stop not in text(await tell(engine, count - 1))
    assert done(await tell(engine, count, (stop,))).matched == stop
    assert done(await tell(engine, count - 1, (stop,))).reason == "length"


@pytest.mark.promise("engine.stops")
async def test_of_several_stop_texts_the_first_one_counts(engine: Engine):
    outputs = await tell(engine, 40, (TALE[30:40], TALE[20:32], "never"))
    assert (text(outputs), done(outputs).matched) == (TALE[:20], TALE[20:32])


@pytest.mark.promise("engine.stops")
async def test_what_only_began_like_a_stop_text_is_written_in_the_end(engine: Engine):
    whole = text(await tell(engine, 30))
    outputs = await tell(engine, 30, tuple(f"{whole[at:]}§" for at in (0, 5, -3)))
    assert (text(outputs), done(outputs).reason, done(outputs).output_tokens) == (whole, "length", 30)
    assert known(outputs)[0] == whole
    outputs = await run(engine, await ask(engine, SHORT), 1000, ("§",), OK)
    assert done(outputs).reason == "end"


@pytest.mark.promise("engine.reusable-tokens")
@pytest.mark.parametrize("stop", ["never", f"{TALE[:12]}§", TALE[20:30], TALE[21:30], TALE[22:30], TALE[23:30]])
async def test_pieces_of_work_with_stops_have_the_tokens_of_their_text(engine: Engine, stop: str):
    outputs = await tell(engine, 30, (stop,))
    found, tokens = known(outputs)
    assert tokens == await engine.tokenize((Segment(found, markup=False),), begins=False) != ()
    # Only where the stop text begins inside of a token is there more.
    assert text(outputs) in (found, found + pieces(outputs)[-1].text)


@pytest.mark.promise("engine.reusable-tokens")
async def test_work_without_stops_needs_no_tokens(engine: Engine):
    assert not any(piece.tokens for piece in pieces(await tell(engine, 30)))


@pytest.mark.promise("engine.reusable-tokens")
async def test_characters_of_several_tokens_never_get_wrong_ones(engine: Engine):
    prompt = await ask(engine, f"Repeat: {ECHO}", f"{ECHO} {ECHO} {ECHO} {ECHO}")
    outputs = await run(engine, prompt, 30, ("§",), ECHOED)
    found, tokens = known(outputs)
    assert ECHO in text(outputs)
    assert text(outputs).startswith(found)
    assert tokens == await engine.tokenize((Segment(found, markup=False),), begins=False)


@pytest.mark.promise("engine.reusable-tokens")
async def test_a_prompt_goes_on_from_what_was_written(engine: Engine):
    prompt = await ask(engine, LONG)
    outputs = await tell(engine, 20, ("never",))
    assert known(outputs)[0] == text(outputs)
    more = (Segment("</thinking>\n\n"),)
    tokens = (*prompt.tokens, *known(outputs)[1], *await engine.tokenize(more, begins=False))
    longer = RenderedPrompt((*prompt.segments, Segment(text(outputs), markup=False), *more), tokens)
    outputs = await run(engine, longer, 5)
    assert {step.total for step in outputs if isinstance(step, PrefillProgress)} == {len(tokens)}
    assert done(outputs).output_tokens == 5


async def test_what_goes_on_has_nothing_before_it(engine: Engine):
    segments = (Segment("<|im_end|>\nsea"), Segment("<|im_end|>", markup=False))
    opening = await engine.tokenize(())
    assert await engine.tokenize((), begins=False) == ()
    assert (*opening, *await engine.tokenize(segments, begins=False)) == await engine.tokenize(segments)


async def test_an_engine_is_ready_from_its_start_to_its_end(fresh: Engine):
    prompt = RenderedPrompt((), (5,))
    assert not (health := await fresh.health()).ready
    assert health.detail
    with pytest.raises(EngineUnavailable):
        await fresh.tokenize((Segment("sea"),))
    await fresh.start()
    assert (await fresh.health()).ready
    await fresh.aclose()
    await fresh.aclose()
    assert not (health := await fresh.health()).ready
    assert health.detail
    for attempt in (run(fresh, prompt, 1), fresh.tokenize((Segment("sea"),))):
        with pytest.raises(EngineUnavailable):
            await attempt


async def test_prompt_and_reply_share_the_window_and_a_stop_ends_replies(fresh: Engine, patience: float):
    await fresh.start()
    prompt = await ask(fresh, LONG + " Begin with a storm." * 30)
    outputs = await run(fresh, prompt, 100_000)
    assert (done(outputs).reason, len(prompt.tokens) + done(outputs).output_tokens) == ("length", SMALL_WINDOW)

    async def exhaust(rest: AsyncGenerator[EngineOutput]) -> None:
        async for _ in rest:
            pass

    async with closing(await begin(fresh, prompt)) as outputs_in_flight:
        await fresh.aclose()
        with pytest.raises(EngineDied):
            await asyncio.wait_for(exhaust(outputs_in_flight), patience)
