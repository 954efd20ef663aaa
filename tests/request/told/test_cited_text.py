"""Text that citations had cut is told in one piece."""

import orjson

from antiphon.request.case import Placed, placed
from antiphon.request.intake import parse_create
from antiphon.request.told.cited_text import in_one_piece
from tests.request.requests import Json, assistant, body, call, context, text, user

SOURCE: Json = {
    "type": "char_location",
    "cited_text": "Cats sleep.",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 11,
}


def cited(words: str) -> Json:
    return text(words, citations=[SOURCE])


def joined(*blocks: Json) -> list[Placed]:
    request = parse_create(orjson.dumps(body(user(), assistant(list(blocks)), user())), context())
    return [whole for whole, _ in in_one_piece(placed(1, request.messages[1]))]


def told(*blocks: Json) -> list[str]:
    return [getattr(item.block, "text", item.block.type) for item in joined(*blocks)]


def test_text_before_and_behind_a_citation_is_one() -> None:
    assert told(text("They say "), cited("cats sleep"), text(" all day.")) == ["They say cats sleep all day."]


def test_texts_without_a_citation_keep_their_edges() -> None:
    assert told(text("One."), text("Two.")) == ["One.", "Two."]


def test_what_stands_behind_an_uncited_edge_stays_apart() -> None:
    assert told(cited("a"), text("b"), text("c")) == ["ab", "c"]


def test_other_blocks_part_texts() -> None:
    assert told(cited("a"), call("toolu_1"), cited("b")) == ["a", "tool_use", "b"]


def test_the_joined_text_stands_where_its_first_block_stood() -> None:
    [item] = joined(text("a"), cited("b"))
    assert item.path == "messages.1.content.0"


def test_nothing_comes_of_nothing() -> None:
    assert list(in_one_piece([])) == []
