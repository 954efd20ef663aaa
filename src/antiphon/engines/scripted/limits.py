"""Where a scripted text ends before its end: at a number of tokens, or at a text that stops it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from antiphon.dialogue.rendered import Segment
from antiphon.engines.scripted.tokenizer import pieces, tokens
from antiphon.ports.engine import Piece


@dataclass(frozen=True, slots=True)
class Stopped:
    """What stands before a stop text, the stop text, and the tokens of both."""

    written: tuple[Piece, ...]
    matched: str
    output_tokens: int


def within(written: Sequence[Piece], limit: int) -> tuple[Piece, ...]:
    """The pieces that fit into `limit` tokens, the last of them cut inside where it must be."""
    if not written or written[-1].output_tokens <= limit:
        return tuple(written)
    found: list[Piece] = []
    before = 0
    for piece in written:
        if piece.output_tokens > limit:
            text = "".join(pieces(piece.text)[: limit - before])
            return (*found, Piece(text, limit)) if limit > before else tuple(found)
        found.append(piece)
        before = piece.output_tokens
    return tuple(found)


def with_tokens(written: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces, each with its tokens."""
    return tuple(replace(piece, tokens=tokens((Segment(piece.text, markup=False),))) for piece in written)


def stopped(written: Sequence[Piece], stops: Sequence[str]) -> Stopped | None:
    """The pieces up to the stop text that is whole first; of two that end together the longer counts."""
    text = "".join(piece.text for piece in written)
    found = [(text.find(stop) + len(stop), text.find(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return None
    end, start, matched = min(found)
    output_tokens = next(count for ends, count in _ends(written) if ends >= end)
    return Stopped(tuple(_until(written, start)), matched, output_tokens)


def _until(written: Sequence[Piece], start: int) -> Iterator[Piece]:
    """The pieces up to a place in their text."""
    at = before = 0
    for piece in written:
        if at + len(piece.text) > start:
            text = piece.text[: start - at]
            inside = pieces(text)
            # A piece that ends inside of a token has none.
            whole = pieces(piece.text)[: len(inside)] == inside
            if text:
                yield Piece(text, before + len(inside), piece.tokens[: len(inside)] if whole else ())
            return
        yield piece
        at, before = at + len(piece.text), piece.output_tokens


def _ends(written: Sequence[Piece]) -> Iterator[tuple[int, int]]:
    """Where each token ends in the text, and how many tokens there are by then."""
    at = count = 0
    for piece in written:
        for token in pieces(piece.text):
            at, count = at + len(token), count + 1
            yield at, count
