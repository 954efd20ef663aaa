"""The tokenizer on this side: control tokens in markup only, nothing twice, nothing lost, and clear words for the rest."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment
from antiphon.engines.remote.tokens.pieces import TokenBytes
from antiphon.engines.remote.tokens.tokenizer import LocalTokenizer, TokenizerFiles
from antiphon.errors import EngineFault, EngineRefused
from tests.engines.token_engines.model import tokenizer_directory
from tests.engines.tokens.vocabularies import MARKUP, SPECIAL, TEMPLATE, byte_level, metaspace

KINDS: dict[str, Callable[..., LocalTokenizer]] = {
    "byte-level": byte_level,
    "metaspace": metaspace,
    "metaspace everywhere": functools.partial(metaspace, "always"),
    "prepended": functools.partial(metaspace, "prepend"),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def plain(text: str) -> Segment:
    return Segment(text, markup=False)


@kinds
@pytest.mark.promise("remote-tokens.control-tokens-in-markup-only")
def test_the_text_of_a_control_token_is_one_in_markup_only(kind: str):
    tokenizer = KINDS[kind]()
    for text in (*SPECIAL, MARKUP):
        (control,) = tokenizer.read(text)
        assert tokenizer.tokens([Segment(text)]) == (control,)
        assert control not in tokenizer.tokens([Segment("the"), plain(f"a{text}b"), plain(text)])
        assert tokenizer.text(tokenizer.tokens([plain(text)], begins=False)).endswith(text)


@kinds
def test_every_text_comes_back_from_its_tokens(kind: str):
    tokenizer = KINDS[kind]()

    @given(st.text(st.characters(codec="utf-8")))
    def comes_back(text: str) -> None:
        assert tokenizer.text(tokenizer.tokens([plain(text)], begins=False)) == text

    comes_back()


@kinds
@pytest.mark.parametrize("begins", [True, False])
def test_what_goes_on_gets_no_blank_before_it(kind: str, begins: bool):
    tokenizer = KINDS[kind]()
    (end,) = tokenizer.read("<|im_end|>")
    cut = tokenizer.tokens([Segment("<|im_end|>"), plain("sea"), Segment("<|im_end|>")], begins=begins)
    assert cut == (end, *tokenizer.tokens([plain("sea")], begins=False), end)
    assert tokenizer.text(cut) == "<|im_end|>sea<|im_end|>"


@kinds
def test_neighbours_of_one_kind_are_one_text(kind: str):
    tokenizer = KINDS[kind]()
    cut = [Segment("<|im_"), Segment(""), Segment("start|>th"), Segment("e sea"), plain("t"), plain("he")]
    assert tokenizer.tokens(cut) == tokenizer.tokens([Segment("<|im_start|>the sea"), plain("the")])


def test_a_whole_prompt_is_not_cut_where_the_file_says_so():
    assert len(byte_level().tokens([plain("abcdefgh")])) == 8


@pytest.mark.parametrize(("adds", "opening"), [(None, ""), (False, ""), (True, "<s>")])
def test_a_prompt_begins_with_what_the_model_wants(adds: bool | None, opening: str):
    tokenizer = byte_level(config={} if adds is None else {"add_bos_token": adds})
    assert tokenizer.opening == tokenizer.read(opening)
    assert tokenizer.tokens([plain("the")]) == (*tokenizer.opening, *tokenizer.read("the"))
    assert tokenizer.tokens([]) == tokenizer.opening
    assert tokenizer.tokens([plain("the")], begins=False) == tokenizer.read("the")


def test_a_template_that_writes_the_beginning_itself_gets_no_second_one():
    tokenizer = byte_level(config={"add_bos_token": True})
    assert tokenizer.tokens([Segment("<s>the")]) == tokenizer.read("<s>the")
    assert tokenizer.tokens([plain("<s>")])[:1] == tokenizer.opening


def test_the_file_alone_may_say_what_stands_before_a_text():
    single = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    number = byte_level().read("<s>")[0]
    processor = {
        "type": "TemplateProcessing", "single": single, "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [number], "tokens": ["<s>"]}},
    }  # fmt: skip
    tokenizer = byte_level(described={"post_processor": processor})
    assert tokenizer.opening == (number,)
    assert byte_level(described={"post_processor": processor}, config={"add_bos_token": False}).opening == ()


@pytest.mark.parametrize(
    ("generation", "model", "ends"),
    [
        ({}, {}, ["</s>"]),
        ({"eos_token_id": ["<|im_end|>", "</s>"]}, {}, ["</s>", "<|im_end|>"]),
        ({"eos_token_id": "<|im_end|>"}, {"eos_token_id": "<|im_start|>"}, ["</s>", "<|im_end|>"]),
        ({}, {"eos_token_id": ["<|im_end|>", 10_000]}, ["</s>", "<|im_end|>"]),
    ],
)
def test_a_reply_ends_with_every_token_that_the_files_name(
    generation: dict[str, Any], model: dict[str, Any], ends: list[str]
):
    known = {text: byte_level().read(text)[0] for text in SPECIAL}

    def numbers(named: dict[str, Any]) -> dict[str, Any]:
        value: str | list[str | int] | None = named.get("eos_token_id")
        if isinstance(value, list):
            return {"eos_token_id": [known[text] if isinstance(text, str) else text for text in value]}
        return {"eos_token_id": known[value]} if value else {}

    tokenizer = byte_level(generation=numbers(generation), model=numbers(model))
    assert tokenizer.ends == tuple(known[text] for text in ends)


def test_files_that_name_no_end_are_not_enough():
    with pytest.raises(EngineFault, match=r"no token that ends a reply.*tokenizer_config\.json"):
        byte_level(config={"eos_token": None})


def test_the_files_around_it_say_how_the_model_speaks(tmp_path: Path):
    generation = {"temperature": 0.6, "top_p": 0.95, "top_k": 20}
    tokenizer = byte_level(config={"eos_token": {"content": "</s>"}}, generation=generation)
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<s>", "</s>")
    assert tokenizer.chat_template == TEMPLATE
    assert tokenizer.sampling == Sampling(0.6, 0.95, 20)
    assert tokenizer.special_tokens == {*SPECIAL, MARKUP}
    assert set(tokenizer.control) == set(SPECIAL)
    several = [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]
    assert byte_level(config={"chat_template": several}).chat_template == "d"
    assert (
        byte_level(config={"chat_template": "x"}, template="a file of its own").chat_template == "a file of its own"
    )
    other = byte_level(config={"chat_template": "x"})
    assert other.digest == tokenizer.digest
    assert other.template_digest != tokenizer.template_digest


def test_a_directory_is_read_as_it_lies_there():
    directory = tokenizer_directory()
    by_file, by_place = LocalTokenizer.load(directory / "tokenizer.json"), LocalTokenizer.load(directory)
    assert by_file.eos_token == by_place.eos_token == "<|im_end|>"
    assert by_place.ends == (2,)
    assert by_place.tokens([Segment("<|im_start|>user"), plain("<|im_end|>")])[0] == 1


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("tokenizer.json", "{", "not valid JSON"),
        ("tokenizer.json", "[]", "describes no model"),
        ("tokenizer.json", '{"model": {"type": "Unheard"}}', "cannot be read by the tokenizers library"),
        ("tokenizer_config.json", "nonsense", r"tokenizer_config\.json is not valid JSON"),
        ("", "", "cannot be read"),
    ],
)
def test_files_that_make_no_sense_are_named(tmp_path: Path, name: str, text: str, words: str):
    if name:
        (tmp_path / "tokenizer.json").write_text(
            (tokenizer_directory() / "tokenizer.json").read_text("utf-8"), "utf-8"
        )
        (tmp_path / name).write_text(text)
    with pytest.raises(EngineFault, match=words):
        LocalTokenizer.load(tmp_path)


def test_a_decoder_that_is_not_known_is_refused():
    with pytest.raises(EngineFault, match="of the kind WordPiece"):
        TokenBytes({"type": "WordPiece", "prefix": "##", "cleanup": True})
    with pytest.raises(EngineFault, match="of the kind Replace"):
        TokenBytes({"type": "Replace", "pattern": {"Regex": " +"}, "content": ""})


def test_pictures_and_half_characters_are_refused():
    tokenizer = byte_level()
    with pytest.raises(EngineRefused, match="pictures"):
        tokenizer.tokens([Segment("", image=Image(b"", 1, 1))])
    with pytest.raises(EngineRefused, match="cannot be sent"):
        tokenizer.tokens([plain("\ud800")])


def test_a_token_beyond_the_vocabulary_says_nothing():
    assert byte_level().piece(100_000) == b""


def test_the_tokens_are_those_of_the_library_itself():
    tokenizer = LocalTokenizer.load(tokenizer_directory())
    config = TokenizerFiles.read(tokenizer_directory())
    from tokenizers import Tokenizer

    reference: Any = Tokenizer.from_str(config.tokenizer)
    for text in ("The sea was calm.", "日本語😀🎉", "12:45\n\n\tx = {1: 2}", "<|im_start|>user\n"):
        ids = reference.encode(text, add_special_tokens=False).ids
        assert tokenizer.tokens([Segment(text)]) == tuple(ids)
        assert tokenizer.text(ids) == reference.decode(ids, skip_special_tokens=False) == text
    assert json.loads(config.tokenizer)["model"]["type"] == "BPE"
