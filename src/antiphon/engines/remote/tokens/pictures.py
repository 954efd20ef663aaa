"""Pictures in prompts for vLLM's `/inference/v1/generate`.

The prompt's tokens have one token where a picture stands, the pictures come beside them (`content_parts`), and the
engine puts as many tokens there as the picture takes. Which token that is, and what the model wants around it,
differs by model. Both are found out at the start, with what the engine says of itself: its own template's tokens for
a message of one picture (`/v1/chat/completions/render`), and the tokens that it has read in the end
(`return_token_ids`). A model is taken to see only where those are what was counted here.

Source: vLLM 0.32, `entrypoints/scale_out`.
"""

import base64
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment
from antiphon.engines.llamacpp.pictures import PicturePlaces, blank_png, stand_in
from antiphon.engines.remote.connection import Connection, EngineBroken
from antiphon.errors import EngineRefused

Read = Callable[[tuple[int, ...], tuple[bytes, ...]], Awaitable[Sequence[int]]]
"""The tokens that the engine has read in the end, of these tokens with these pictures."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What pictures are tried with. `around`: tokens of a text in which a control token's text stands as plain text;
    `read`: asks the engine; `plain`: the tokens of a text as users write it; `text`: the text of tokens."""

    around: tuple[int, ...]
    read: Read
    plain: Callable[[str], tuple[int, ...]]
    text: Callable[[Sequence[int]], str]


SIZES: Final = ((64, 64), (640, 200))
"""Of the empty pictures that are tried."""

_RENDER: Final = "/v1/chat/completions/render"
_CANDIDATES: Final = 4
_MISPLACED: Final = "the prompt's pictures are not where its tokens have them"


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What the engine's template writes for one picture: the tokens that it takes, and those around them."""

    before: tuple[int, ...]
    places: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def all(self) -> tuple[int, ...]:
        return (*self.before, *self.places, *self.after)


class Sight:
    """How pictures are sent to one model. `places`: how many tokens a picture is; `sent`: what is sent for it.
    `watched`: what the engine has read is looked at each time, because it may read a prompt anew of its text.
    `unfit`: texts that it cannot read beside a picture."""

    def __init__(
        self,
        places: PicturePlaces,
        before: tuple[int, ...],
        token: int,
        after: tuple[int, ...],
        *,
        watched: bool = False,
        unfit: frozenset[str] = frozenset(),
    ) -> None:
        self.places = places
        self.watched = watched
        self.unfit = unfit
        self.sent = (*before, token, *after)
        self._token = token

    async def tokens_of(self, segments: Sequence[Segment]) -> dict[Image, tuple[int, ...]]:
        """What stands for each picture in a prompt's tokens."""
        pictures = [segment.image for segment in segments if segment.image is not None]
        return {picture: (stand_in(picture),) * await self.places.of(picture) for picture in pictures}

    async def native(
        self, segments: Sequence[Segment], tokens: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
        """A prompt as the engine takes it: its tokens, and its pictures in order. Raises `EngineRefused`."""
        pictures = [segment.image for segment in segments if segment.image is not None]
        found: list[int] = []
        at = 0
        for picture in pictures:
            start = next((place for place in range(at, len(tokens)) if tokens[place] < 0), len(tokens))
            found += (*tokens[at:start], *self.sent)
            at = start + await self.places.of(picture)
            if tokens[start:at] != (stand_in(picture),) * (at - start):
                raise EngineRefused(_MISPLACED)
        found += tokens[at:]
        if any(token < 0 for token in found) or found.count(self._token) != len(pictures):
            raise EngineRefused(_MISPLACED)
        return tuple(found), tuple(picture.data for picture in pictures)


async def find_sight(connection: Connection, model: str, trial: Trial) -> Sight | None:
    """How the model's pictures are sent; None: it sees none.

    Raises `EngineRefused` where it sees, and what it reads is not what is counted here.
    """

    around, pictures = trial.around, tuple(blank_png(*size) for size in SIZES)
    try:
        one = await _render(connection, model, picture_content(_base64(pictures[0])))
    except EngineRefused:
        return None
    plain = _tokens_in(await _render(connection, model, [{"type": "text", "text": ""}]))

    async def rendered(picture: str) -> _Rendered:
        return _read_off(await _render(connection, model, picture_content(picture)), plain)

    first, second = _read_off(one, plain), await rendered(_base64(pictures[1]))
    if (first.before, first.after) != (second.before, second.after):
        raise EngineRefused("what stands around a picture is not always the same")

    async def places(picture: str) -> int:
        return len((await rendered(picture)).all)

    wanted = (*around, *first.all, *around, *second.all, *second.all, *around)
    # Most often it is the token that is repeated; some models begin their pictures with another one, and take that.
    likely = [token for token, _ in Counter(second.places).most_common()]
    for token in dict.fromkeys((likely[0], second.places[0], *likely)[: _CANDIDATES + 1]):
        sight = Sight(PicturePlaces(places), first.before, token, first.after)
        asked = (*around, *sight.sent, *around, *sight.sent, *sight.sent, *around)
        try:
            came = await trial.read(asked, (*pictures, pictures[1]))
        except (EngineRefused, EngineBroken):  # a 500, where nothing is to be put in the place of the token
            continue
        if tuple(came) == wanted:
            return sight
    raise EngineRefused("no token was found that the engine puts a picture's own in the place of")


def _read_off(said: Mapping[str, Any], plain: Sequence[int]) -> _Rendered:
    """What a template writes for a picture: what it does not write for an empty text (`plain`)."""
    tokens = _tokens_in(said)
    try:
        where = said["features"]["mm_placeholders"]["image"][0]
        offset, length = int(where["offset"]), int(where["length"])
    except (KeyError, IndexError, TypeError, ValueError) as problem:
        raise EngineRefused(f"{_RENDER} does not say where a picture is: {problem!r}") from problem
    begin = common(tokens, plain)
    end = len(tokens) - common(tokens[begin:][::-1], plain[begin:][::-1])
    if not begin <= offset < offset + length <= end or len(tokens) - (end - begin) != len(plain):
        raise EngineRefused(f"{_RENDER} writes more around a picture than belongs to it")
    places = tokens[offset : offset + length]
    return _Rendered(tuple(tokens[begin:offset]), tuple(places), tuple(tokens[offset + length : end]))


async def _render(connection: Connection, model: str, content: list[dict[str, Any]]) -> Mapping[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1, "mm_payload": "none"}
    return await connection.post(_RENDER, body)


def picture_content(picture: str) -> list[dict[str, Any]]:
    """A message of one picture, in base64, as templates are given it."""
    return [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}]


def _tokens_in(said: Mapping[str, Any]) -> list[int]:
    return cast("list[int]", said.get("token_ids") or [])


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens are the same at the beginning of both."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
