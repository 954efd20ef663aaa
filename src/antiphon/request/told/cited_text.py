"""Text that came back with its citations. Source: API reference, Citations.

A citation cuts the answer into blocks, in the middle of a sentence mostly. The model is told the sentence.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from antiphon.request.case import Placed
from antiphon.wire.content.blocks import TextBlock


def in_one_piece(items: Iterable[Placed]) -> Iterator[tuple[Placed, Placed]]:
    """A message's blocks, with text on both sides of a citation's edge put together again; each with the last block
    that went into it."""
    whole: Placed | None = None
    last: Placed | None = None
    for item in items:
        joined = None if whole is None else _joined(whole, item)
        if joined is None and whole is not None and last is not None:
            yield whole, last
        whole, last = joined or item, item
    if whole is not None and last is not None:
        yield whole, last


def _joined(one: Placed, two: Placed) -> Placed | None:
    if not (isinstance(one.block, TextBlock) and isinstance(two.block, TextBlock)):
        return None
    if not (one.block.citations or two.block.citations):
        return None
    # What comes behind this piece goes on from its last block.
    update = {"text": one.block.text + two.block.text, "citations": two.block.citations}
    return replace(one, block=one.block.model_copy(update=update))
