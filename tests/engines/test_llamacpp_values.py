"""What is said to llama.cpp: how tokens are drawn and how prompts are tokenized."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from antiphon.config import ModelSettings
from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.rendered import Segment
from antiphon.engines.grammar import GrammarWriter
from antiphon.engines.llamacpp import ModelFile
from antiphon.engines.llamacpp.embedded.child import FAST_PACE, FAST_STEP, PACE, STEP, second_of, step_of
from antiphon.engines.llamacpp.engine import load_of
from antiphon.engines.llamacpp.sampling import native_sampling
from antiphon.engines.llamacpp.tokenizer import PromptTokenizer

SILENT = Sampling()


@pytest.mark.promise("engine.neutral-sampling")
def test_where_nobody_says_anything_nothing_is_cut():
    assert native_sampling(SILENT, SILENT) == {
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": 0,
        "min_p": 0.0,
        "samplers": ["temperature"],
    }


@pytest.mark.promise("engine.neutral-sampling")
@pytest.mark.parametrize(
    ("asked", "recommended", "expected"),
    [
        pytest.param(
            Sampling(0.5, 0.9, 40),
            SILENT,
            {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "samplers": ["top_k", "temperature", "top_p"]},
            id="the request speaks",
        ),
        pytest.param(
            SILENT,
            Sampling(0.6, 0.95, 20),
            {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "samplers": ["top_k", "temperature", "top_p"]},
            id="the model's card speaks",
        ),
        pytest.param(
            Sampling(temperature=0.9),
            Sampling(0.6, 0.95, None),
            {"temperature": 0.9, "top_p": 0.95, "top_k": 0, "samplers": ["temperature", "top_p"]},
            id="each of some",
        ),
        pytest.param(
            Sampling(0.0, 0.9, 40),
            SILENT,
            {"temperature": 0.0, "samplers": ["temperature"]},
            id="the likeliest token, whatever is cut",
        ),
        pytest.param(Sampling(top_p=0.0), SILENT, {"top_p": 0.0}, id="zero is a value"),
    ],
)
def test_the_request_goes_before_the_card(asked: Sampling, recommended: Sampling, expected: dict[str, object]):
    assert native_sampling(asked, recommended).items() >= expected.items()


@pytest.mark.promise("engine.no-circles")
def test_a_guard_against_circles_comes_before_all_that_draws():
    told = native_sampling(SILENT, Sampling(0.2, 0.9), guard=0.8)
    assert told["samplers"] == ["dry", "temperature", "top_p"]
    assert (told["dry_multiplier"], told["dry_allowed_length"], told["dry_penalty_last_n"]) == (0.8, 24, 512)
    # There must be one; ends of lines, which are llama.cpp's own, would hide a line that is said over and over.
    assert told["dry_sequence_breakers"] == ["<|im_start|>"]


@pytest.mark.promise("engine.no-circles")
@pytest.mark.parametrize(
    ("asked", "guard"),
    [
        (Sampling(temperature=1.0), 0.8),
        (Sampling(top_p=1.0), 0.8),
        (Sampling(top_k=40), 0.8),
        (Sampling(temperature=0.0), 0.8),
        (SILENT, 0.0),
    ],
)
def test_a_request_that_sets_its_own_sampling_and_a_model_without_a_guard_have_none(asked: Sampling, guard: float):
    told = native_sampling(asked, Sampling(0.2, 0.9), guard)
    assert told == native_sampling(asked, Sampling(0.2, 0.9))
    assert not [key for key in told if key.startswith("dry")]


CORES, SMALL, LARGE = 2, 144_811_112, 4_700_000_000


@pytest.mark.promise("engine.steps-by-time")
@pytest.mark.parametrize(
    ("size", "pace", "threads", "tokens"),
    [
        pytest.param(SMALL, FAST_PACE, CORES, 224, id="the built-in model, written anew"),
        pytest.param(SMALL, FAST_PACE, 4, 448, id="on more cores"),
        pytest.param(SMALL, FAST_PACE, 64, 512, id="no more than a GPU's"),
        pytest.param(SMALL, PACE, CORES, 64, id="in a slow form"),
        pytest.param(LARGE, PACE, 8, 64, id="a large one takes no less than today"),
        pytest.param(0, PACE, 8, 64, id="of unknown size"),
        pytest.param(SMALL, FAST_PACE, 0, 64, id="on cores that nobody counts"),
    ],
)
def test_a_step_of_reading_is_as_long_as_half_a_second_allows_and_a_second_where_reading_is_fast(
    size: int, pace: float, threads: int, tokens: int
):
    assert step_of(size, pace, threads) == tokens
    if 64 < tokens < 512:
        assert tokens <= (FAST_STEP if pace == FAST_PACE else STEP) * pace * threads / (size / 1e6) < tokens + 32


def test_the_second_models_steps_are_those_of_its_own_form():
    file = ModelFile(Path("a"), "a", size=LARGE, for_tools=Path("b"), for_tools_size=SMALL, for_tools_is_fast=True)
    second = second_of(load_of(ModelSettings("a", "builtin"), file))
    assert (second.path, second.size, second.pace, second.second, second.is_second) == (
        "b",
        SMALL,
        FAST_PACE,
        "",
        True,
    )


@pytest.mark.promise("tools.markup-in-values")
@pytest.mark.parametrize(
    ("told", "forces"),
    [
        ('"<tool_call>" /(?s:.*)/ & ~/(?s:.*)<\\|im_end\\|>(?s:.*)/', True),
        ('"</parameter> | <im_end>" /[^<|]/', True),
        ("", True),
        ('"a </b> <|im_end|>"', False),
        (r'%json {"const": "</p> \"<|im_end|>\""}', False),
        (r'%json {"enum": ["<|\"|>"]}', False),
        (r"/\x01<\|im_end\|>/", False),
    ],
)
def test_a_text_that_spells_a_control_token_is_left_to_the_model(told: str, forces: bool):
    writer = GrammarWriter(["<|im_end|>", "<|im_start|>", '<|"|>'], (2,))
    options = "" if forces else '"no_forcing": true'
    assert writer.write(f"start: x\nx: {told}\n") == (
        f"%llguidance {{{options}}}\nstart: the_reply <[2]>?\nthe_reply: x\nx: {told}\n"
    )
    assert GrammarWriter().write("start: x\n") == "%llguidance {}\nstart: x\n"
    assert "start: the_reply <[2,5]>?\n" in GrammarWriter((), (5, 2, 5)).write("start: x\n")


class LetterServer:
    """A `/tokenize` whose tokens are the letters' code points; `<s>` is 1 and `</s>` is 2, where they are special."""

    def __init__(self, before: Sequence[int] = (), after: Sequence[int] = ()) -> None:
        self.calls = 0
        self._before = before
        self._after = after

    async def __call__(self, content: str | Sequence[str | int], *, special: bool, ends: bool = False) -> list[int]:
        self.calls += 1
        tokens: list[int] = []
        for item in [content] if isinstance(content, str) else content:
            tokens += [item] if isinstance(item, int) else self._letters(item, special)
        return [*self._before, *tokens, *self._after] if ends else tokens

    def _letters(self, text: str, special: bool) -> list[int]:
        if special:
            text = text.replace("<s>", "\1").replace("</s>", "\2")
        return [ord(letter) for letter in text]


async def tokenizer(server: LetterServer, bos_text: str = "<s>") -> PromptTokenizer:
    made = PromptTokenizer(server, bos_text)
    await made.find_opening()
    server.calls = 0
    return made


@pytest.mark.promise("engine.one-bos")
@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param((Segment("ab"),), (1, 97, 98), id="added"),
        pytest.param((Segment("<s>ab"),), (1, 97, 98), id="the template wrote it"),
        pytest.param((Segment("<s>", markup=False),), (1, 60, 115, 62), id="a user wrote it"),
        pytest.param((), (1,), id="no text"),
    ],
)
async def test_a_prompt_begins_with_one_beginning(segments: tuple[Segment, ...], expected: tuple[int, ...]):
    made = await tokenizer(LetterServer(before=[1], after=[2]))
    assert await made.tokens(segments) == expected


@pytest.mark.promise("engine.one-bos")
@pytest.mark.parametrize(("text", "expected"), [("ab", (97, 98)), ("<s>ab", (1, 97, 98)), ("", ())])
async def test_what_goes_on_from_other_text_has_no_beginning_of_its_own(text: str, expected: tuple[int, ...]):
    made = await tokenizer(LetterServer(before=[1], after=[2]))
    assert await made.tokens((Segment(text),), begins=False) == expected


async def test_control_tokens_are_what_is_one_token_only_where_texts_are_read_so():
    made = await tokenizer(LetterServer())
    assert await made.control_tokens({"<s>", "</s>", "ab", "a"}) == {"<s>": 1, "</s>": 2}


async def test_a_model_that_wants_no_beginning_gets_none():
    made = await tokenizer(LetterServer())
    assert await made.tokens((Segment("ab"),)) == (97, 98)


async def test_an_end_that_the_tokenizer_would_add_is_left_out():
    made = await tokenizer(LetterServer(after=[2]))
    assert (made.opening, await made.tokens((Segment("ab"),))) == ((), (97, 98))


async def test_segments_keep_their_order_and_kind():
    made = await tokenizer(LetterServer())
    segments = (Segment("a</s>"), Segment("</s>", markup=False), Segment("b"), Segment("<s>", markup=False))
    plain_end, plain_start = tuple(map(ord, "</s>")), tuple(map(ord, "<s>"))
    assert await made.tokens(segments) == (97, 2, *plain_end, 98, *plain_start)


async def test_however_many_segments_there_are_two_calls_are_enough():
    server = LetterServer()
    made = await tokenizer(server)
    await made.tokens([Segment(str(number), markup=number % 2 == 0) for number in range(1000)])
    assert server.calls == 2
