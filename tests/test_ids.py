"""Identifiers: the API's form, and nothing but the entropy in them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.ids import ENTROPY_BYTES, make_id

ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(ENTROPY)
def test_an_id_is_its_prefix_and_24_letters_and_digits_that_nobody_confuses(entropy: bytes) -> None:
    assert re.fullmatch(r"msg_01[1-9A-HJ-NP-Za-km-z]{22}", make_id("msg_", entropy))


@given(ENTROPY, ENTROPY)
def test_ids_are_alike_only_where_the_entropy_is(one: bytes, two: bytes) -> None:
    assert (make_id("req_", one) == make_id("req_", two)) == (one == two)


def test_the_greatest_entropy_has_room() -> None:
    assert len(make_id("toolu_", b"\xff" * ENTROPY_BYTES)) == len("toolu_") + 24


@pytest.mark.parametrize("count", [0, ENTROPY_BYTES - 1, ENTROPY_BYTES + 1])
def test_too_little_or_too_much_entropy_is_a_mistake_of_the_caller(count: int) -> None:
    with pytest.raises(ValueError, match=f"not {count}"):
        make_id("msg_", bytes(count))
