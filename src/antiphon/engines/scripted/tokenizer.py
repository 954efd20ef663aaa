"""A tokenizer without a vocabulary: the same text always gives the same pieces, and the pieces join to the text.

A piece is a word of up to five letters or digits with the blank before it, a run of blanks, or up to three other
characters: English text has some four characters to a piece. A control token is one piece.
A picture takes as many places as the API charges for one of its size.
"""

import re
from collections.abc import Sequence
from typing import Final
from zlib import crc32

from antiphon.dialogue.media import picture_tokens
from antiphon.dialogue.rendered import Segment, join_runs

TURN_START: Final = "<|im_start|>"
TURN_END: Final = "<|im_end|>"
CONTROL: Final = {TURN_START: 1, TURN_END: 2}

_PICTURE: Final = -1
_FIRST_PLAIN: Final = 16
_PIECES: Final = re.compile(r" ?\w{1,5}|\s+|[^\w\s]{1,3}")
_CONTROL_TEXT: Final = re.compile(f"({'|'.join(map(re.escape, CONTROL))})")


def pieces(text: str) -> list[str]:
    """The pieces of plain text."""
    return _PIECES.findall(text)


def tokens(segments: Sequence[Segment]) -> tuple[int, ...]:
    """The numbers of the pieces of a prompt. Control tokens exist in markup only."""
    numbers: list[int] = []
    texts: list[Segment] = []
    for segment in segments:
        if segment.image is None:
            texts.append(segment)
            continue
        numbers += _numbers(texts)
        numbers += [_PICTURE] * picture_tokens(segment.image.width, segment.image.height)
        texts = []
    return (*numbers, *_numbers(texts))


def _numbers(segments: Sequence[Segment]) -> list[int]:
    numbers: list[int] = []
    for run in join_runs(segments):
        # Splitting at a group puts the control tokens at the odd places.
        stretches = _CONTROL_TEXT.split(run.text) if run.markup else (run.text,)
        for at, stretch in enumerate(stretches):
            if at % 2:
                numbers.append(CONTROL[stretch])
            elif stretch:
                numbers += [_FIRST_PLAIN + crc32(piece.encode("utf-8", "surrogatepass")) for piece in pieces(stretch)]
    return numbers
