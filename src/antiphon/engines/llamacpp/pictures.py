"""Pictures in prompts for llama.cpp.

Its server takes a prompt with pictures as one text with a marker where each picture stands, cuts it there, and reads
the control tokens in every stretch of it as such: tokens cannot be given. So here a text that may not hold control
tokens is broken where it looks like one, with a character that nobody sees. Prompts without pictures are not touched.

Measured, besides: a prompt that ends in a picture ends the process, and pictures right behind each other may be read
as frames of one film. So text stands behind every picture, a line's end where there is none.

Source: llama.cpp, tools/server/README.md (`/completion`, `multimodal_data`) and tools/mtmd.
"""

import base64
import re
import secrets
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment, join_runs
from antiphon.errors import EngineRefused
from antiphon.memory import Kept

BREAK: Final = "\u200b"
BEHIND_PICTURES: Final = "\n"
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of all pictures of a prompt; the server hangs up on a body of more than 100 MB, as base64 has them."""

ENDS_OF_TURNS: Final = (
    "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<turn|>", "<|endoftext|>", "</s>",
    "<|end_of_text|>", "<EOT>", "_<EOT>", "[EOT]", "< EOT >", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>",
    "<end_of_utterance>", "<｜end▁of▁sentence｜>",
)  # fmt: skip
"""What llama.cpp makes control tokens of, also where a file calls it ordinary text. Source: src/llama-vocab.cpp."""

# Their pictures see themselves as a whole, and so are read in one step; none is of more than 280 tokens.
_WHOLE_PICTURES: Final = frozenset({"gemma3", "gemma4v", "gemma4uv"})
_WHOLE_PICTURE: Final = 512
_KNOWN_SIZES: Final = 4096
_STAND_INS: Final = 2**30
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"

Stretch = str | Image


def new_marker() -> str:
    """A text for pictures that nobody can guess, and so nobody can write."""
    return f"<__media_{secrets.token_hex(16)}__>"


def least_batch(kind: str) -> int:
    """The tokens that must go into one step with a projector of this kind; 0 where any number will do.

    Source: llama.cpp, tools/mtmd/mtmd.cpp, `mtmd_decode_use_non_causal`.
    """
    return _WHOLE_PICTURE if kind in _WHOLE_PICTURES else 0


class ControlTexts:
    """The texts that a tokenizer reads as control tokens, to be found in others."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = frozenset(text for text in texts if text)
        lengths: dict[str, set[int]] = {}
        for text in self._texts:
            lengths.setdefault(text[0], set()).add(len(text))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}
        # One class of characters, because vocabularies have thousands of these texts.
        self._first = re.compile(f"[{''.join(map(re.escape, sorted(lengths)))}]") if lengths else None

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Where they begin and end, also inside of each other; the longest of those that begin at one place."""
        for match in self._first.finditer(text) if self._first else ():
            at = match.start()
            for length in self._lengths[match[0]]:
                if text[at : at + length] in self._texts and at + length <= len(text):
                    yield at, at + length
                    break


def stretches(segments: Sequence[Segment], control: ControlTexts) -> list[Stretch]:
    """The prompt as texts and pictures in turn, text behind each picture. No text has a control token in it that does
    not lie in markup as a whole."""
    found: list[Stretch] = []
    texts: list[Segment] = []
    for segment in segments:
        if segment.image is None:
            texts.append(segment)
            continue
        found += _text(texts, control, behind=found)
        found.append(segment.image)
        texts = []
    return [*found, *_text(texts, control, behind=found)]


def _text(segments: Sequence[Segment], control: ControlTexts, *, behind: Sequence[Stretch]) -> list[str]:
    text = _broken(join_runs(segments), control)
    if not text and behind and isinstance(behind[-1], Image):
        return [BEHIND_PICTURES]
    return [text] if text else []


def _broken(runs: Sequence[Segment], control: ControlTexts) -> str:
    """The runs' text. What only looks like a control token gets a break at its start, or where it leaves markup."""
    text = "".join(run.text for run in runs)
    ends: list[int] = []
    for run in runs:
        ends.append(len(run.text) + (ends[-1] if ends else 0))
    breaks: set[int] = set()
    at = 0
    for start, end in control.find(text):
        while ends[at] <= start:
            at += 1
        if not runs[at].markup:
            breaks.add(start + 1)
        elif ends[at] < end:
            breaks.add(ends[at])
    cuts = [0, *sorted(breaks), len(text)]
    return BREAK.join(text[start:end] for start, end in pairwise(cuts))


def stand_in(picture: Image) -> int:
    """The number that stands in a prompt's tokens for each of the picture's places, so that other pictures are other
    tokens, as far as a checksum tells them apart."""
    return -1 - zlib.crc32(picture.data) % _STAND_INS


def native_prompt(found: Sequence[Stretch], marker: str) -> dict[str, Any]:
    """The prompt as the server's `/completion` takes it. Raises `EngineRefused` for pictures that cannot be sent."""
    pictures = [stretch for stretch in found if isinstance(stretch, Image)]
    if sum(len(picture.data) for picture in pictures) > MOST_BYTES:
        raise EngineRefused(f"the prompt's pictures are more than {MOST_BYTES} bytes together")
    for number, picture in enumerate(pictures, 1):
        # The server would also take sound and films, with programs that it finds on the machine.
        if not picture.data.startswith((_PNG, _JPEG)):
            raise EngineRefused(f"picture {number} of the prompt is neither PNG nor JPEG")
    return {
        "prompt_string": "".join(stretch if isinstance(stretch, str) else marker for stretch in found),
        "multimodal_data": [base64.b64encode(picture.data).decode("ascii") for picture in pictures],
    }


class PicturePlaces:
    """How many places pictures take in the model's window.

    `ask`: the server's count for a picture in base64. It depends on the size alone, so each size is asked for once,
    with an empty picture of that size.
    """

    def __init__(self, ask: Callable[[str], Awaitable[int]]) -> None:
        self._ask = ask
        self._known: Kept[tuple[int, int], int] = Kept(_KNOWN_SIZES)

    async def of(self, picture: Image) -> int:
        """The places of one picture."""
        size = picture.width, picture.height
        places = self._known.get(size)
        if places is None:
            places = await self._ask(base64.b64encode(blank_png(*size)).decode("ascii"))
            self._known.put(size, places)
        return places


def blank_png(width: int, height: int) -> bytes:
    """A black picture of this size, in as few bytes as may be. Source: the PNG specification, 11.2."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(height * (1 + (width + 7) // 8)), 1)
    return _PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
