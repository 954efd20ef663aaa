"""Tokens are read to the same text, ends and tokens wherever the stream of them is cut."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.engines.remote.tokens.reading import StopsToSend, TokenReader, Vocabulary
from antiphon.engines.remote.tokens.tokenizer import LocalTokenizer
from antiphon.ports.engine import Done, Piece
from tests.engines.tokens.vocabularies import byte_level, metaspace

TOKENIZERS = {"byte-level": byte_level(), "metaspace": metaspace()}
kinds = pytest.mark.parametrize("kind", TOKENIZERS)
STOPS = ("the end", "sea s", "</think>", "😀a", "t")


@dataclass(frozen=True)
class Read:
    text: str
    pieces: tuple[Piece, ...]
    end: Done

    @property
    def known(self) -> tuple[str, tuple[int, ...]]:
        """The text up to the last piece that has tokens, and all tokens up to there."""
        text, tokens, written = "", (), ""
        for piece in self.pieces:
            written += piece.text
            if piece.tokens:
                text, tokens = written, (*tokens, *piece.tokens)
        return text, tokens


def vocabulary(tokenizer: LocalTokenizer) -> Vocabulary:
    return Vocabulary(tokenizer.piece, tokenizer.control, tokenizer.ends)


def read(
    tokenizer: LocalTokenizer, tokens: Sequence[int], cuts: Sequence[int] = (), *, stops: Sequence[str] = (),
    shown: Sequence[str] = (),
) -> Read:  # fmt: skip
    """A reply of these tokens, cut there, which the engine then ends at its limit."""
    reader = TokenReader(vocabulary(tokenizer), shown, stops)
    places = [0, *sorted(set(cuts) & set(range(len(tokens)))), len(tokens)]
    pieces: list[Piece] = []
    for start, end in pairwise(places):
        if reader.end is None:
            pieces += reader.take(tokens[start:end])
    if reader.end is None:
        pieces += reader.finish(Done("length", reader.count))
    assert reader.end is not None
    return Read("".join(piece.text for piece in pieces), tuple(pieces), reader.end)


def tokens_of(tokenizer: LocalTokenizer, text: str) -> tuple[int, ...]:
    return tokenizer.read(text)


def some_tokens(tokenizer: LocalTokenizer) -> st.SearchStrategy[list[int]]:
    words = ["the", " sea", " s", "the end", "😀", "日本", "</thi", "nk>", "t", "\n", "<|im_start|>", "é", "a"]
    spelled = st.lists(st.sampled_from(words)).map(lambda chosen: list(tokenizer.read("".join(chosen))))
    loose = st.lists(st.integers(0, 270), max_size=12)
    return st.lists(st.one_of(spelled, loose), max_size=6).map(
        lambda parts: [token for part in parts for token in part]
    )


@kinds
@pytest.mark.promise("remote-tokens.text-of-tokens")
def test_the_text_is_that_of_all_bytes_wherever_tokens_are_cut(kind: str):
    tokenizer = TOKENIZERS[kind]

    @given(some_tokens(tokenizer), st.lists(st.integers(0, 60)))
    def check(tokens: list[int], cuts: list[int]) -> None:
        found = read(tokenizer, tokens, cuts)
        hidden = set(tokenizer.control.values())
        written: list[bytes] = []
        for token in tokens:
            if token in tokenizer.ends:
                break
            written.append(b"" if token in hidden else tokenizer.piece(token))
        assert found.text == codecs.getincrementaldecoder("utf-8")("replace").decode(b"".join(written))
        assert found.pieces == () or found.pieces[-1].output_tokens == found.end.output_tokens
        assert not any(piece.tokens for piece in found.pieces)

    check()


@kinds
@pytest.mark.promise("remote-tokens.text-of-tokens", "engine.stops")
def test_stop_texts_are_found_wherever_tokens_are_cut(kind: str):
    tokenizer = TOKENIZERS[kind]

    @given(some_tokens(tokenizer), st.lists(st.integers(0, 60)), st.lists(st.sampled_from(STOPS), unique=True))
    def check(tokens: list[int], cuts: list[int], stops: list[str]) -> None:
        found = read(tokenizer, tokens, cuts, stops=stops)
        one_by_one = read(tokenizer, tokens, range(len(tokens)), stops=stops)
        assert (found.text, found.end) == (one_by_one.text, one_by_one.end)
        assert found.known == one_by_one.known
        free = read(tokenizer, tokens).text
        ends = [(free.index(stop) + len(stop), free.index(stop), stop) for stop in stops if stop in free]
        if not ends:
            assert found.text == free
            assert found.end.reason in ("length", "end")
        else:
            _, start, stop = min(ends)
            assert (found.text, found.end.matched) == (free[:start], stop)

    check()


@kinds
@pytest.mark.promise("engine.reusable-tokens")
def test_pieces_have_the_tokens_of_their_text(kind: str):
    tokenizer = TOKENIZERS[kind]

    @given(some_tokens(tokenizer), st.lists(st.integers(0, 60)))
    def check(tokens: list[int], cuts: list[int]) -> None:
        found = read(tokenizer, tokens, cuts, stops=("the end",))
        for piece in found.pieces:
            if piece.tokens and "\ufffd" not in piece.text:
                assert tokenizer.text(piece.tokens) == piece.text

    check()


def test_tokens_are_counted_up_to_the_one_that_completes_a_stop_text():
    tokenizer = byte_level()
    tokens = tokens_of(tokenizer, "the sea the end of it")
    whole = next(count for count in range(len(tokens)) if "the end" in tokenizer.text(tokens[:count]))
    found = read(tokenizer, tokens, stops=("the end",))
    assert found.end == Done("stop", whole, matched="the end")
    assert found.text == "the sea "


def test_of_two_stop_texts_that_end_together_the_longer_counts():
    assert read(byte_level(), tokens_of(byte_level(), "the sea"), stops=("sea", "the sea")).end.matched == "the sea"


def test_what_only_began_like_a_stop_text_is_shown_in_the_end():
    tokenizer = byte_level()
    tokens = tokens_of(tokenizer, "the sea</thi")
    found = read(tokenizer, tokens, range(len(tokens)), stops=("</think>",))
    assert (found.text, found.end.reason) == ("the sea</thi", "length")
    assert found.known == ("the sea</thi", tokens)


def test_a_token_that_a_stop_text_begins_in_is_nobodys():
    tokenizer = byte_level()
    found = read(tokenizer, tokens_of(tokenizer, "a the"), stops=("he",))
    assert [(piece.text, piece.tokens) for piece in found.pieces] == [("a", tokens_of(tokenizer, "a")), (" t", ())]


def test_half_a_character_at_the_limit_is_counted_and_not_shown():
    tokenizer = metaspace()
    tokens = tokens_of(tokenizer, "a😀")[:-1]
    found = read(tokenizer, tokens, range(len(tokens)), stops=("never",))
    assert (found.text.strip(), found.end.output_tokens) == ("a", len(tokens))
    assert found.pieces[-1] == Piece("", len(tokens))


def test_control_tokens_are_hidden_unless_they_are_asked_for():
    tokenizer = byte_level()
    tokens = tokens_of(tokenizer, "the<|im_start|> sea")
    assert read(tokenizer, tokens, stops=("x",)).known == ("the sea", tokens_of(tokenizer, "the sea"))
    assert read(tokenizer, tokens, stops=("x",), shown=["<|im_start|>"]).known == ("the<|im_start|> sea", tokens)


def test_a_control_token_in_a_stop_text_is_shown_to_find_it():
    tokenizer = byte_level()
    words = vocabulary(tokenizer)
    assert words.shown_for(frozenset(), ("x<|im_start|>",)) == {"<|im_start|>"}
    tokens = tokens_of(tokenizer, "the sea<|im_start|>user")
    found = read(tokenizer, tokens, stops=("<|im_start|>",), shown=sorted(words.shown_for((), ("<|im_start|>",))))
    assert (found.text, found.end.matched) == ("the sea", "<|im_start|>")


def test_nothing_is_read_behind_the_end():
    tokenizer = byte_level()
    reader = TokenReader(vocabulary(tokenizer), (), ())
    (end,) = tokenizer.ends
    assert [piece.text for piece in reader.take([*tokens_of(tokenizer, "sea"), end, *tokens_of(tokenizer, "the")])] == [
        "sea", ""
    ]  # fmt: skip
    assert reader.end is not None
    assert (reader.end.reason, reader.count) == ("end", len(tokens_of(tokenizer, "sea")) + 1)
    assert reader.take(tokens_of(tokenizer, "the")) == []


@pytest.mark.promise("remote-tokens.stops")
def test_stop_texts_that_a_hidden_control_token_could_hold_are_not_sent():
    sends = StopsToSend(["<|im_end|>", "</s>"])
    stops = ("\n\nHuman:", "<|im", ">x", "|", "<|im_end|>", "a<", "end", "")
    assert sends.of(stops, ()) == ["\n\nHuman:"]
    assert sends.of(stops, ("<|im_end|>",)) == ["\n\nHuman:", "<|im", "|", "<|im_end|>", "end"]
    assert sends.of(tuple("abcfgh"), (), 4) == list("abcf")
