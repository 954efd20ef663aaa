"""The local index: folders and lines, what is found first, and what a result shows of a page."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.search.local import LocalIndex
from antiphon.tools.search.port import SearchQuery
from antiphon.tools.search.ranking import Ranking, passage, words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide" / "cats and more.html").write_text(
        "<title>Cats</title><script>dogs()</script><body><p>Cats <b>purr</b>.</p></body>", encoding="utf-8"
    )
    (tmp_path / "dogs.md").write_text("Some notes\n\n# About dogs #\n\nDogs bark at cats.", encoding="utf-8")
    (tmp_path / "birds.txt").write_text("Birds sing.", encoding="utf-8")
    (tmp_path / "secrets.env").write_text("cats=1", encoding="utf-8")
    (tmp_path / ".hidden.txt").write_text("cats", encoding="utf-8")
    return tmp_path


async def urls(index: LocalIndex, query: str) -> list[object]:
    return [page.url for page in await index.search(SearchQuery(query, 10))]


@pytest.mark.promise("web-tools.local-index")
async def test_a_folder_is_searched_with_titles_and_urls_of_its_files(folder: Path):
    index = LocalIndex(folder, 500)
    assert await index.size() == 3
    first, second = await index.search(SearchQuery("Cats", 10))
    assert (first.url, first.title, first.text) == (
        "https://index.localhost/guide/cats%20and%20more.html", "Cats", "Cats purr ."
    )  # fmt: skip
    assert (second.url, second.title) == ("https://index.localhost/dogs.md", "About dogs")
    assert await urls(LocalIndex(folder, 500, "https://docs.example"), "sing") == ["https://docs.example/birds.txt"]


async def test_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    outside = tmp_path_factory.mktemp("outside") / "password.txt"
    outside.write_text("submarine", encoding="utf-8")
    os.symlink(outside, folder / "link.txt")
    assert await urls(LocalIndex(folder, 500), "submarine") == []


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("none", None, "neither a folder nor a .jsonl file"),
        ("none.jsonl", None, "cannot be read"),
        ("empty.jsonl", "\n", "there is no page in it"),
        ("broken.jsonl", '{"url": "https://a.example/", "text": "x"}\n{', "line 2: this is not JSON"),
        ("lacking.jsonl", '{"url": "https://a.example/"}', "line 1: this must be an object with a url and a text"),
    ],
)
async def test_an_index_that_cannot_be_read_says_why(tmp_path: Path, name: str, text: str | None, why: str):
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ToolProblem) as caught:
        await LocalIndex(tmp_path / name, 500).search(SearchQuery("x", 1))
    assert caught.value.code == "unavailable"
    assert why in caught.value.reason


def test_rare_words_weigh_more_than_common_ones_and_long_texts_gain_nothing_by_their_length():
    texts = ["the cat", "the dog", "the the the", "the cat " + "filler " * 200, "the okapi and the cat"]
    ranking = Ranking(texts)
    assert ranking.best("okapi cat")[0] == 4
    assert ranking.best("cat") == [0, 4, 3]
    assert ranking.best("nothing") == []
    assert Ranking([]).best("x") == []


def test_words_are_compared_without_letter_case_in_any_script():
    assert words("Straße STRASSE don’t 猫が好き e-mail_x") == [
        "strasse", "strasse", "don’t", "猫", "が", "好", "き", "e", "mail", "x"
    ]  # fmt: skip


def test_a_passage_is_where_most_of_the_words_stand():
    text = "cat " * 30 + "filler " * 300 + "Here the cat meets an okapi in the zoo. " + "filler " * 300
    shown = passage(text, "okapi cat zoo", 200)
    assert "okapi" in shown
    assert len(shown) <= 200
    assert passage(text, "nothing", 8) == "cat cat "


@given(st.text(), st.text(), st.integers(1, 50))
def test_a_passage_is_a_part_of_the_text(text: str, query: str, characters: int):
    shown = passage(text, query, characters)
    assert shown in text
    assert len(shown) <= characters


@given(st.lists(st.text(), max_size=8), st.text())
def test_only_texts_that_hold_a_word_of_the_query_are_found(texts: list[str], query: str):
    found = Ranking(texts).best(query)
    assert sorted(found) == [n for n, text in enumerate(texts) if set(words(text)) & set(words(query))]
