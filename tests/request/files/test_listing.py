"""What a query of the list asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.ports.files import Place
from antiphon.request.files.listing import Listing, listing
from antiphon.request.pages import cursor, place_of


def test_without_a_word_twenty_files_are_asked_for() -> None:
    assert listing([], beta=False) == listing([], beta=True) == Listing(20)


@pytest.mark.promise("files.pagers")
@given(st.integers(0, 10**17), st.from_regex(r"file_[0-9A-Za-z]{1,30}", fullmatch=True))
def test_a_cursor_leads_back_to_its_place(created: int, id_: str) -> None:
    place = Place(created, id_)
    said = cursor(place)
    assert said.startswith("page_")
    assert said.replace("-", "").replace("_", "").isalnum()
    assert listing([("page", said)], beta=False) == Listing(page=place)


@pytest.mark.promise("files.pagers")
@given(st.text(max_size=60))
def test_what_is_no_cursor_is_refused(said: str) -> None:
    with pytest.raises(InvalidRequest, match="no cursor"):
        place_of(said, "files")
    with pytest.raises(InvalidRequest, match="no cursor"):
        place_of("page_" + cursor(Place(1, "a")) + said, "files")


@pytest.mark.promise("files.ids")
def test_each_id_is_asked_for_once_in_either_spelling() -> None:
    query = [("ids[]", "b"), ("ids[]", "a"), ("ids", "b"), ("ids", ""), ("ids", "c")]
    assert listing(query, beta=False) == Listing(ids=("b", "a", "c"))


@pytest.mark.promise("files.two-shapes")
def test_each_shape_has_its_own_way_to_the_next_page() -> None:
    assert listing([("after_id", "a"), ("limit", "3")], beta=True) == Listing(3, after_id="a")
    assert listing([("before_id", "a")], beta=True) == Listing(before_id="a")
    with pytest.raises(InvalidRequest, match=r"^before_id: Extra inputs"):
        listing([("before_id", "a")], beta=False)


def test_of_a_parameter_that_is_said_twice_the_first_counts() -> None:
    assert listing([("limit", "3"), ("limit", "4")], beta=False) == Listing(3)
