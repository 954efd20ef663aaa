"""llama.cpp's events with their tokens, as measured, and the pieces that they become."""

import pytest

from antiphon.engines.llamacpp.pairing import Pairing
from antiphon.ports.engine import Piece

CONTROL = 1


def paired(*events: tuple[str, int, tuple[int, ...]], matched: bool = False) -> tuple[list[Piece], Pairing]:
    """The pieces of events, each given with its text, the count of tokens, and the tokens in it."""
    pairing = Pairing(frozenset({CONTROL}))
    found = [pairing.take(Piece(*event)) for event in events]
    found.append(pairing.end(matched=matched))
    return [piece for piece in found if piece is not None], pairing


def test_a_token_with_its_text_is_a_piece():
    pieces, pairing = paired(("a", 1, (11,)), ("b", 2, (12,)))
    assert pieces == [Piece("a", 1, (11,)), Piece("b", 2, (12,))]
    assert pairing.held == ()


def test_text_that_was_held_back_comes_with_all_its_tokens():
    pieces, _ = paired(("", 1, (11,)), ("", 2, (12,)), ("abc", 3, (13,)))
    assert pieces == [Piece("", 1), Piece("", 2), Piece("abc", 3, (11, 12, 13))]


def test_behind_a_token_that_is_not_known_no_piece_has_tokens():
    pieces, _ = paired(("a", 1, (11,)), ("日", 4, (14,)), ("b", 5, (15,)))
    assert pieces == [Piece("a", 1, (11,)), Piece("日", 4), Piece("b", 5)]


def test_tokens_of_a_stop_text_are_in_no_piece():
    pieces, _ = paired(("a", 1, (11,)), ("", 2, (12,)), ("", 3, (13,)), matched=True)
    assert pieces == [Piece("a", 1, (11,)), Piece("", 2), Piece("", 3)]


@pytest.mark.parametrize("held", [True, False])
def test_text_that_shares_a_token_with_a_stop_text_has_none(held: bool):
    before = (("", 2, (12,)),) if held else ()
    count = 3 if held else 2
    pieces, _ = paired(("a", 1, (11,)), *before, (".", count, (13,)), matched=True)
    assert (pieces[0], pieces[-1]) == (Piece("a", 1, (11,)), Piece(".", count))


def test_control_tokens_that_nobody_sees_are_left_out():
    pieces, _ = paired(("a", 1, (11,)), ("", 2, (CONTROL,)), ("b", 3, (13,)), ("</", 5, (14, CONTROL)))
    assert pieces == [Piece("a", 1, (11,)), Piece("", 2), Piece("b", 3, (13,)), Piece("</", 5, (14,))]


def test_what_is_held_at_the_end_is_a_piece_once_its_text_is_known():
    _, pairing = paired(("a", 1, (11,)), ("", 2, (12,)), ("", 3, (13,)))
    assert pairing.held == (12, 13)
    assert pairing.rest("</") == Piece("</", 3, (12, 13))


def test_what_is_held_is_known_again_behind_a_text_whose_tokens_are_not():
    _, pairing = paired(("日", 3, (13,)), ("", 4, (14,)))
    assert pairing.held == (14,)
    assert pairing.rest("<") == Piece("<", 4)
    _, pairing = paired(("", 3, (13,)), ("", 4, (14,)))
    assert pairing.held == ()
