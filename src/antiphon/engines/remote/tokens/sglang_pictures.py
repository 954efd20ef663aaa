"""Pictures in prompts for SGLang's `/generate`.

The pictures come beside the prompt's tokens (`image_data`), and stand among them as what the model's template writes
for one. What SGLang makes of that depends on its processor for the model. Some put a picture's places into the tokens
that they were given. Others read the prompt anew of its text: there control tokens that a user has written come
alive, and other tokens are read than were counted. Some do so only now and then, where a count does not come out as
they thought, and say so in their log alone. And some take no tokens beside pictures at all.

So a model is taken to see only where a prompt that has a control token's text in it comes back token by token
(`return_prompt_token_ids`); and every prompt with pictures is looked at again as it is read (`watch.py`).

Source: SGLang 0.5.23, `managers/tokenizer_manager.py` (`_tokenize_one_request`) and `multimodal/processors/`:
`base_processor.py` (`load_mm_data`, `process_and_combine_mm_data`, `_expand_input_ids`), `qwen_vl.py` and
`kimi_k25.py`, which go by the tokens, `internvl.py`, which refuses them, `gemma3.py` and `pixtral.py`, which fall
back on the text.
"""

import asyncio
import base64
from collections import Counter
from typing import Any, Final, cast

from antiphon.engines.llamacpp.pictures import PicturePlaces, blank_png
from antiphon.engines.remote.connection import Connection, EngineBroken
from antiphon.engines.remote.tokens.pictures import SIZES, Sight, Trial, common, picture_content
from antiphon.errors import EngineDied, EngineRefused

PLACES: Final = ("<image>", "<video>", "<audio>")
"""Texts that a processor may take for a picture's place, whatever the model has for it. Source: its `qwen_vl.py`."""

_TOKENIZE: Final = "/tokenize"
_PATIENCE: Final = 20.0


async def find_sglang_sight(connection: Connection, model: str, trial: Trial) -> Sight | None:
    """See `Kind.sight`."""
    if not (await connection.get("/model_info")).get("has_image_understanding"):
        return None
    around, pictures = trial.around, tuple(blank_png(*size) for size in SIZES)
    sent = await _written(connection, model, pictures[0])

    async def taken(picture: bytes) -> tuple[int, ...]:
        """The tokens that a picture is, with what stands around it."""
        return _between(around, tuple(await trial.read((*around, *sent, *around), (picture,))))

    first, second = await taken(pictures[0]), await taken(pictures[1])
    token = Counter(second).most_common(1)[0][0]
    if len(second) <= len(sent) or sent.count(token) != 1:
        raise EngineRefused("no token of its template was found that it puts a picture's own in the place of")
    at = sent.index(token)
    before, after = sent[:at], sent[at + 1 :]
    for one in (first, second):
        if one[: len(before)] != before or one[len(one) - len(after) :] != after:
            raise EngineRefused("what stands around a picture is read as something else")
    asked = (*around, *sent, *around, *sent, *sent, *around)
    came = await trial.read(asked, (*pictures, pictures[1]))
    if tuple(came) != (*around, *first, *around, *second, *second, *around):
        raise EngineRefused("several pictures in a prompt are not read as each of them alone")

    async def places(picture: str) -> int:
        return len(await taken(base64.b64decode(picture)))

    unfit = await _unfit(trial, sent, first, pictures[0])
    return Sight(PicturePlaces(places), before, token, after, watched=True, unfit=unfit)


async def _unfit(trial: Trial, sent: tuple[int, ...], taken: tuple[int, ...], picture: bytes) -> frozenset[str]:
    """The texts like a picture's place that it cannot read beside a picture. Some of them break it off, or make it
    wait for nothing, where a text is looked through for pictures; so it is never asked again."""

    async def fits(*texts: str) -> bool:
        around = (*trial.around, *trial.plain(" ".join(texts)), *trial.around)
        try:
            async with asyncio.timeout(_PATIENCE):
                came = await trial.read((*around, *sent, *around), (picture,))
        except (EngineRefused, EngineDied, EngineBroken, TimeoutError):
            return False
        return tuple(came) == (*around, *taken, *around)

    texts = tuple(dict.fromkeys((*(trial.text((token,)) for token in sent), *PLACES)))
    if await fits(*texts):
        return frozenset()
    return frozenset([text for text in texts if not await fits(text)])


def _between(around: tuple[int, ...], came: tuple[int, ...]) -> tuple[int, ...]:
    if not came:
        raise EngineRefused(
            "it does not say which tokens it has read beside a picture (`return_prompt_token_ids`; 0.5.23 does)"
        )
    long = len(around)
    if len(came) <= 2 * long or (came[:long], came[-long:]) != (around, around):
        raise EngineRefused(
            "beside a picture it does not keep to the prompt's tokens but reads its text anew, where control tokens "
            "that a user has written would come alive"
        )
    return came[long:-long]


async def _written(connection: Connection, model: str, picture: bytes) -> tuple[int, ...]:
    """What the model's template writes for a picture: what it does not write for an empty text."""
    one = await _templated(connection, model, picture_content(base64.b64encode(picture).decode("ascii")))
    plain = await _templated(connection, model, [{"type": "text", "text": ""}])
    begin = common(one, plain)
    end = len(one) - common(one[begin:][::-1], plain[begin:][::-1])
    if begin >= end or len(one) - (end - begin) != len(plain):
        raise EngineRefused("its template does not tell how a picture stands in a prompt")
    return tuple(one[begin:end])


async def _templated(connection: Connection, model: str, content: list[dict[str, Any]]) -> list[int]:
    said = await connection.post(_TOKENIZE, {"model": model, "messages": [{"role": "user", "content": content}]})
    return cast("list[int]", said.get("tokens") or [])
