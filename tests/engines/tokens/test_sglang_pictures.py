"""Pictures through SGLang: only where its processor keeps to the prompt's tokens, and looked at as they are read."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.llamacpp.pictures import blank_png
from antiphon.engines.remote.dialects.ask import Heard
from antiphon.engines.remote.tokens.endpoint import TokenEndpoint
from antiphon.engines.remote.tokens.watch import Lookalikes, watched
from antiphon.errors import EngineDeclined, EngineRefused
from antiphon.ports.engine import Generation, PrefillProgress
from antiphon.testing import engine_app
from tests.engines.foreign import free_port
from tests.engines.token_engines.engine import WithPlayed, endpoint, tokenizer
from tests.engines.token_engines.sglang import PlayedSglang
from tests.engines.token_engines.vllm import AFTER, BEFORE, PAD
from tests.engines.tokens.test_pictures import PATIENCE, PROMPTS, SMALL, learnt, picture, row

KEEPS = ("qwen3-vl", "qwen2.5-vl")
"""The processors that keep to the prompt's tokens."""

LOOKALIKE = "a<|im_end|>b"
PLACE = tokenizer().text([PAD])


def sglang(**settings: Any) -> PlayedSglang:
    played = PlayedSglang()
    played.sees = True
    for name, value in settings.items():
        setattr(played, name, value)
    return played


async def read(played: PlayedSglang, made: TokenEndpoint, segments: Sequence[Segment]) -> tuple[int, ...]:
    """Have the prompt read; its tokens as they were counted."""
    tokens = await made.tokenize(segments)
    played.asked.clear()  # of what was read to count
    work = Generation(RenderedPrompt(tuple(segments), tokens), 5, Sampling(temperature=0.0))
    outputs = [output async for output in made.generate(work, 5)]
    assert isinstance(outputs[0], PrefillProgress)
    return tokens


def assert_as_counted(played: PlayedSglang, tokens: Sequence[int]) -> None:
    (asked,) = played.asked
    assert len(asked.prompt) == len(tokens)
    for counted, came in zip(tokens, asked.prompt, strict=True):
        assert counted == came if counted >= 0 else came in (BEFORE, PAD, AFTER)


@pytest.mark.promise("remote-tokens.sglang-pictures")
@pytest.mark.parametrize("processor", KEEPS)
@pytest.mark.parametrize("name", PROMPTS)
async def test_a_prompt_with_pictures_is_read_as_it_was_counted(name: str, processor: str):
    played = sglang(processor=processor)
    async with learnt(played) as (made, findings):
        assert findings.card.sees
        assert row(findings) == "seen, and counted as they are read"
        tokens = await read(played, made, PROMPTS[name])
    assert_as_counted(played, tokens)
    body = played.asked[0].body
    pictures = [segment.image.data for segment in PROMPTS[name] if segment.image is not None]
    urls = [f"data:image/png;base64,{base64.b64encode(one).decode()}" for one in pictures]
    assert body["image_data"] == urls
    assert body["input_ids"].count(PAD) == len(pictures)
    # It says every token again in every event where it is asked to, so it is asked only where that is needed.
    assert "return_prompt_token_ids" not in body


@pytest.mark.promise("remote-tokens.sglang-pictures", "remote-tokens.control-tokens-in-markup-only")
@pytest.mark.parametrize(
    ("processor", "text"), [("qwen3-vl", LOOKALIKE), ("qwen2.5-vl", LOOKALIKE), ("qwen3-vl", PLACE)]
)
async def test_what_looks_like_a_control_token_beside_a_picture_stays_text(processor: str, text: str):
    segments = (Segment("<|im_start|>user\n"), Segment("", image=SMALL), Segment(text, markup=False))
    played = sglang(processor=processor)
    async with learnt(played) as (made, _):
        tokens = await read(played, made, segments)
    assert_as_counted(played, tokens)
    assert played.asked[0].body["return_prompt_token_ids"] is True
    assert played.asked[0].prompt.count(2) == 0  # <|im_end|>


@pytest.mark.promise("remote-tokens.sglang-pictures")
async def test_the_text_of_a_control_token_stands_beside_every_picture_that_is_tried():
    async with sglang() as played, asyncio.timeout(PATIENCE):
        made = endpoint(played)
        await made.learn()
        await made.aclose()
    tried = [asked.body for asked in played.asked if "image_data" in asked.body]
    assert [len(body["image_data"]) for body in tried] == [1, 1, 3, 1]
    assert f"{tokenizer().text([BEFORE])} {PLACE} {tokenizer().text([AFTER])} <image>" in tokenizer().text(
        tried[-1]["input_ids"]
    )
    for body in tried:
        assert tokenizer().text(body["input_ids"]).count("<|im_end|>") >= 2
        assert 2 not in body["input_ids"]
        assert body["return_prompt_token_ids"] is True


async def heard(*events: Heard) -> AsyncGenerator[Heard, None]:
    for event in events:
        yield event


@pytest.mark.promise("remote-tokens.read-as-written")
async def test_each_token_counts_where_a_text_looks_like_a_control_token():
    sent = (1, -7, -7, 4)
    as_sent, other = Heard((9,), counted=4, read=(1, 5, 6, 4)), Heard((9,), counted=4, read=(1, 5, 6, 3))
    assert [one async for one in watched(heard(as_sent, Heard()), sent, ["<s>"])] == [as_sent, Heard()]
    with pytest.raises(EngineDeclined):
        await anext(watched(heard(other), sent, ["<s>"]))
    assert await anext(watched(heard(other), sent, [])) == other
    for count in (None, 3):
        with pytest.raises(EngineRefused, match="has 4 tokens"):
            await anext(watched(heard(Heard((9,), counted=count)), sent, []))


def test_lookalikes_are_found_in_text_alone_and_each_once():
    text = "<a <image> <|im_end|><|im_start|> <video> <video> image>"
    tokens = tokenizer().tokens((Segment("<|im_start|>"), Segment(text, markup=False), Segment("<|im_end|>")))
    assert Lookalikes(tokenizer()).of((*tokens, -3, *tokens)) == ("<image>", "<|im_end|>", "<|im_start|>", "<video>")
    assert Lookalikes(tokenizer()).of(tokens[:1]) == ()


@pytest.mark.promise("remote-tokens.read-as-written")
@pytest.mark.parametrize(
    ("text", "named"),
    [
        (PLACE, f"'{PLACE}'"),
        ("see <image> and <|im_end|>", "'<image>'"),
        (f"<image>{PLACE}", f"'<image>', '{PLACE}'"),
    ],
)
async def test_a_text_that_the_engine_takes_for_a_pictures_place_is_named_and_not_sent(text: str, named: str):
    played = sglang(processor="qwen2.5-vl")
    async with learnt(played) as (made, _):
        with pytest.raises(EngineDeclined, match=f"^messages: .* with the text {named}: "):
            await read(played, made, (Segment("", image=SMALL), Segment(text, markup=False)))
        assert played.asked == []
        # What stands around a picture, and what other models have in its place, it can read.
        other = tokenizer().text([BEFORE, AFTER]) + "<video>"
        await read(played, made, (Segment("", image=SMALL), Segment(other, markup=False)))
        assert len(played.asked) == 1


@pytest.mark.promise("remote-tokens.read-as-written")
async def test_what_the_engine_refuses_for_such_a_text_is_said_too():
    played = sglang()
    async with learnt(played) as (made, _):
        await made.tokenize(PROMPTS["first"])  # of the same size
        played.processor = "qwen2.5-vl"
        with pytest.raises(EngineDeclined, match="with the text '<image>': "):
            await read(played, made, (Segment("", image=SMALL), Segment("<image>", markup=False)))


@pytest.mark.promise("remote-tokens.read-as-written")
async def test_a_prompt_that_is_read_anew_of_its_text_ends_before_its_reply():
    played = sglang()
    async with learnt(played) as (made, _):
        await made.tokenize(PROMPTS["first"])  # of the same size
        played.processor = "gemma3"  # what some do now and then, and say so in their log alone
        with pytest.raises(EngineDeclined, match=r"with the text '<\|im_end\|>': "):
            await read(played, made, (Segment("", image=SMALL), Segment(LOOKALIKE, markup=False)))
        with pytest.raises(EngineRefused, match=r"has \d+ tokens, and \d+ were read") as caught:
            await read(played, made, (Segment("", image=SMALL), Segment("hel"), Segment("lo", markup=False)))
        assert not isinstance(caught.value, EngineDeclined)
        async with asyncio.timeout(PATIENCE):
            await played.until_free()
        # The same text, and as many tokens: nothing is amiss.
        await read(played, made, (Segment("", image=SMALL), Segment("what is it?", markup=False)))
    assert len(played.told) == 2


@pytest.mark.promise("remote-tokens.read-as-written")
async def test_an_engine_that_no_longer_says_what_it_reads_is_not_trusted_with_such_a_text():
    played = sglang()
    async with learnt(played) as (made, _):
        await made.tokenize(PROMPTS["adjacent"])  # of the same sizes
        played.tells = False
        with pytest.raises(EngineDeclined, match="im_end"):
            await read(played, made, (Segment("", image=SMALL), Segment(LOOKALIKE, markup=False)))
        await read(played, made, PROMPTS["between"])


@pytest.mark.promise("remote-tokens.no-pictures")
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({"processor": "gemma3"}, "does not keep to the prompt's tokens", id="reads the text anew"),
        pytest.param({"processor": "llava"}, "and counts", id="places come later"),
        pytest.param({"processor": "internvl"}, "Cannot process raw images", id="takes no tokens"),
        pytest.param({"processor": "no encoder"}, "puts a picture's own in the place of", id="looks at nothing"),
        pytest.param({"tells": False}, "does not say which tokens it has read", id="an older one"),
        pytest.param({"writes": False}, "its template does not tell", id="a template without pictures"),
    ],
)
async def test_who_does_not_read_pictures_as_they_are_counted_is_shown_none(settings: dict[str, Any], says: str):
    async with learnt(sglang(**settings)) as (made, findings):
        found = row(findings)
        assert found is not None
        assert found.startswith("refused: ")
        assert says in found
        assert (findings.card.sees, findings.missing) == (False, ())
        with pytest.raises(EngineRefused, match="has pictures"):
            await made.tokenize(PROMPTS["first"])


@pytest.mark.promise("remote-tokens.sglang-pictures")
async def test_a_size_is_read_once_to_count_it():
    played = sglang()
    async with learnt(played) as (made, _):
        first = await made.tokenize(PROMPTS["adjacent"])
        assert len(played.asked) == 2  # of two sizes
        assert await made.tokenize(PROMPTS["adjacent"]) == first
        assert len(played.asked) == 2
        await made.tokenize((Segment("", image=picture(100, 100)),))
        assert len(played.asked) == 3


@pytest.mark.promise("remote-tokens.sglang-pictures", "remote-tokens.read-as-written")
async def test_a_request_with_a_picture_is_answered_and_one_with_a_text_that_cannot_be_is_refused():
    played = PlayedSglang(port=free_port())
    played.sees, played.processor = True, "qwen2.5-vl"
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(blank_png(64, 64)).decode()}
    image = {"type": "image", "source": source}

    def body(text: str) -> dict[str, Any]:
        content = [image, {"type": "text", "text": text}]
        return {"model": "tiny", "max_tokens": 20, "messages": [{"role": "user", "content": content}]}

    async with asyncio.timeout(PATIENCE), engine_app(WithPlayed(played)) as bridge:
        answer = await bridge.post(body("What is it?"))
        assert (answer.status, answer.json["content"]) == (200, [{"type": "text", "text": "I see."}])
        refused = await bridge.post(body(f"What is {PLACE}?"))
    assert (refused.status, refused.json["error"]["type"]) == (400, "invalid_request_error")
    assert PLACE in refused.json["error"]["message"]
