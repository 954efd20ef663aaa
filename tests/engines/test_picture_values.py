"""How a prompt with pictures is written for llama.cpp."""

import base64
from collections.abc import Sequence

import pytest

from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment
from antiphon.engines.llamacpp.pictures import (
    BREAK,
    ControlTexts,
    PicturePlaces,
    blank_png,
    least_batch,
    native_prompt,
    new_marker,
    stand_in,
    stretches,
)
from antiphon.engines.llamacpp.tokenizer import PromptTokenizer
from antiphon.errors import EngineFault
from tests.engines.test_llamacpp_values import LetterServer

ONE, TWO = Image(blank_png(1, 1), 1, 1), Image(blank_png(2, 1), 2, 1)
P = stand_in(ONE)
CONTROL = ControlTexts(["<s>", "</s>", "<s>s", "<<x>>"])


def shown(image: Image) -> Segment:
    return Segment("", image=image)


def plain(text: str) -> Segment:
    return Segment(text, markup=False)


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param((Segment("a"), shown(ONE), plain("b")), ["a", ONE, "b"], id="between texts"),
        pytest.param((shown(ONE), plain("b")), [ONE, "b"], id="at the start"),
        pytest.param((Segment("a"), shown(ONE)), ["a", ONE, "\n"], id="at the end"),
        pytest.param((shown(ONE), shown(TWO), plain("b")), [ONE, "\n", TWO, "b"], id="side by side"),
        pytest.param((shown(ONE), plain(""), shown(TWO)), [ONE, "\n", TWO, "\n"], id="nothing between"),
        pytest.param(
            (Segment("a"), plain("b"), shown(ONE), plain("c"), Segment("d")), ["ab", ONE, "cd"], id="joined"
        ),
    ],
)
def test_texts_and_pictures_keep_their_order(segments: Sequence[Segment], expected: list[str | Image]):
    assert stretches(segments, CONTROL) == expected


@pytest.mark.promise("prompt.no-control-tokens-from-users")
@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param([Segment("<s>a</s>")], "<s>a</s>", id="markup"),
        pytest.param([plain("<s>a</s>")], "<|s>a<|/s>", id="a user's text"),
        pytest.param([Segment("<s>"), plain("</s>"), Segment("</s>")], "<s><|/s></s>", id="among markup"),
        pytest.param([plain("<s"), Segment(">")], "<|s>", id="begun by a user"),
        pytest.param([Segment("<"), plain("s>")], "<|s>", id="ended by a user"),
        pytest.param([Segment("<s>"), plain("s")], "<s>|s", id="made longer by a user"),
        pytest.param([Segment("</"), plain("s"), Segment(">")], "</|s>", id="completed by a user"),
        pytest.param([plain("<<x>>")], "<|<x>>", id="inside of each other"),
        pytest.param([plain("<<<s>s")], "<<<|s>s", id="the longest of them"),
        pytest.param([plain("< s >, </ s>")], "< s >, </ s>", id="what only resembles one"),
    ],
)
def test_control_tokens_lie_in_markup_only(segments: list[Segment], expected: str):
    text, *_ = stretches([*segments, shown(ONE)], CONTROL)
    assert text == expected.replace("|", BREAK)


def test_without_control_texts_nothing_is_broken():
    assert stretches([plain("<s>"), shown(ONE), plain("a")], ControlTexts(())) == ["<s>", ONE, "a"]


def test_a_prompt_is_sent_as_a_text_with_markers_and_the_pictures_in_order():
    assert native_prompt(["a", ONE, "b", TWO, "c"], "{M}") == {
        "prompt_string": "a{M}b{M}c",
        "multimodal_data": [base64.b64encode(image.data).decode() for image in (ONE, TWO)],
    }


@pytest.mark.promise("prompt.no-pictures-from-text")
def test_a_marker_is_another_one_each_time():
    assert len({new_marker() for _ in range(100)}) == 100
    assert all(len(new_marker()) > 32 for _ in range(3))


def test_other_pictures_are_other_tokens():
    assert len({stand_in(ONE), stand_in(TWO), 0}) == 3
    assert stand_in(ONE) == stand_in(Image(ONE.data, 1, 1)) < 0
    assert stand_in(Image(b"anything", 1, 1)) >= -(2**31)


async def test_each_size_is_asked_for_once():
    asked: list[str] = []

    async def ask(picture: str) -> int:
        asked.append(picture)
        return len(asked) * 10

    places = PicturePlaces(ask)
    sizes = [(3, 4), (4, 3), (3, 4), (4, 3)]
    assert [await places.of(Image(b"", *size)) for size in sizes] == [10, 20, 10, 20]
    assert asked == [base64.b64encode(blank_png(*size)).decode() for size in ((3, 4), (4, 3))]


async def test_not_every_size_there_ever_was_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("antiphon.engines.llamacpp.pictures._KNOWN_SIZES", 2)
    asked = 0

    async def ask(picture: str) -> int:
        nonlocal asked
        asked += 1
        return 1

    places = PicturePlaces(ask)
    for width in (1, 2, 2, 3, 3, 1):
        await places.of(Image(b"", width, 1))
    assert asked == 4


@pytest.mark.parametrize(("kind", "least"), [("phi4", 0), ("gemma3", 512)])
def test_pictures_that_are_read_as_a_whole_have_room_in_one_step(kind: str, least: int):
    assert least_batch(kind) == least


async def seeing(server: LetterServer, known: Sequence[str] = ()) -> PromptTokenizer:
    async def three(picture: str) -> int:
        return 3

    made = PromptTokenizer(server, "<s>", PicturePlaces(three))
    await made.find_opening()
    await made.prepare_pictures(known)
    return made


@pytest.mark.promise("engine.one-bos")
@pytest.mark.parametrize(
    ("segments", "sent", "tokens"),
    [
        pytest.param((Segment("a"), shown(ONE)), ["a", ONE, "\n"], (1, 97, P, P, P, 10), id="added by the server"),
        pytest.param((Segment("<s>a"), shown(ONE)), ["a", ONE, "\n"], (1, 97, P, P, P, 10), id="in the template"),
        pytest.param((Segment("<s>"), shown(ONE)), [ONE, "\n"], (1, P, P, P, 10), id="nothing else"),
        pytest.param((shown(ONE), plain("a")), [ONE, "a"], (1, P, P, P, 97), id="before a picture"),
    ],
)
async def test_a_prompt_with_pictures_begins_with_one_beginning(
    segments: Sequence[Segment], sent: list[str | Image], tokens: tuple[int, ...]
):
    made = await seeing(LetterServer(before=[1]))
    assert made.stretches(segments) == sent
    assert await made.tokens(segments) == tokens


async def test_a_beginning_that_the_server_does_not_add_is_left_in_the_text():
    made = await seeing(LetterServer())
    segments = (Segment("<s>a"), shown(ONE))
    assert made.stretches(segments) == ["<s>a", ONE, "\n"]
    assert (await made.tokens(segments))[:2] == (1, 97)


@pytest.mark.promise("prompt.no-control-tokens-from-users")
async def test_control_texts_that_the_models_file_calls_ordinary_are_found_by_asking():
    made = await seeing(LetterServer(), ["<x>"])
    assert made.stretches((plain("<x></s>"), shown(ONE), plain("a"))) == [f"<{BREAK}x><{BREAK}/s>", ONE, "a"]


async def test_a_model_with_an_end_behind_every_text_takes_no_pictures():
    with pytest.raises(EngineFault, match="Set the model's `projector` to none"):
        await seeing(LetterServer(after=[2]))
