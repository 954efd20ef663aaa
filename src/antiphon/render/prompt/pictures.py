"""Pictures on their way through a template, and their places in a prompt.

A template gets a placeholder in a message's text. It cannot add to it: where a template would write a model's own
markers around a picture, it would do so for parts of a content, and a text has none; llama.cpp writes those markers
itself (`<|vision_start|>` for Qwen, `<start_of_image>` for Gemma 3, `[IMG_END]` for Pixtral and so on; source:
ggml-org/llama.cpp tools/mtmd/mtmd.cpp). A picture that a template loses, tells twice or moves ends the render.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment
from antiphon.render.prompt.template import TemplateError

PICTURE: Final = "\ufdee"
"""A noncharacter: no text needs it."""

_PLACE: Final = re.compile(f"{PICTURE}([0-9]+){PICTURE}")


class ToldPictures:
    """The pictures of one conversation. No text of the conversation may have `PICTURE` in it."""

    def __init__(self) -> None:
        self._pictures: list[Image] = []

    def place(self, picture: Image) -> str:
        """What stands for the picture in a text."""
        self._pictures.append(picture)
        return f"{PICTURE}{len(self._pictures) - 1}{PICTURE}"

    def check(self, messages: Iterable[Mapping[str, Any]], told: str) -> None:
        """Raises `TemplateError` where what was told does not have each picture once, in the messages' order."""
        if not self._pictures:
            return
        given = [place for message in messages for place in _PLACE.findall(message["content"] or "")]
        if len(given) != len(self._pictures) or _PLACE.findall(told) != given:
            raise TemplateError("the model's chat template loses, repeats or moves pictures of the conversation")

    def put(self, segments: Iterable[Segment]) -> tuple[Segment, ...]:
        """The segments with the pictures at their places."""
        if not self._pictures:
            return tuple(segments)
        return tuple(one for segment in segments for one in self._split(segment))

    def _split(self, segment: Segment) -> Iterator[Segment]:
        for at, stretch in enumerate(_PLACE.split(segment.text)):
            if at % 2:
                yield Segment("", image=self._pictures[int(stretch)])
            elif stretch:
                yield Segment(stretch, segment.markup)
