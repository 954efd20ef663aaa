"""The pieces of sources that citations name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.content import Document, SearchResult, Text
from antiphon.render.chunks import Chunk, chunks_of, sentences


def said(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.promise("citations.plain-text")
def test_sentences_of_many_scripts_keep_the_space_behind_them_and_abbreviations_whole() -> None:
    assert said("Dr. Smith paid $3.50. He left!  Why?") == ["Dr. Smith paid $3.50. ", "He left!  ", "Why?"]
    assert said("天气很好。我们去公园吧！これは文です。") == ["天气很好。", "我们去公园吧！", "これは文です。"]
    assert said("Это Москва. Она большая.") == ["Это Москва. ", "Она большая."]
    assert said("One.\n\nTwo") == ["One.\n\n", "Two"]
    assert said("\n \nOne. Two.") == ["\n \nOne. ", "Two."]
    assert said("") == []


@given(st.text(alphabet="aB. !?。\n\r\t\xad", max_size=80))
def test_sentences_are_the_text_without_a_gap(text: str) -> None:
    assert "".join(said(text)) == text
    assert all(start < end for start, end in sentences(text))


@pytest.mark.promise("citations.pdf", "citations.custom-content")
def test_blocks_are_whole_and_pages_have_their_own_sentences() -> None:
    blocks = Document("blocks", ((Text("One. Two."),), (Text("Three."),)))
    assert chunks_of(blocks) == (Chunk(0, 0, 9), Chunk(1, 0, 6))
    pages = Document(
        "pdf", ((Text("One. Two."),), (), (Text("Read."),), (Text("Three."),)), unquotable=frozenset({2})
    )
    assert chunks_of(pages) == (Chunk(0, 0, 5), Chunk(0, 5, 9), Chunk(3, 0, 6))
    assert chunks_of(SearchResult("s", "t", (Text("a"), Text("bc")))) == (Chunk(0, 0, 1), Chunk(1, 0, 2))
