"""A prompt's segments → tokens, with llama.cpp's own tokenizer."""

from collections.abc import Awaitable, Collection, Sequence
from typing import Final, Protocol

from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment, join_runs
from antiphon.engines.llamacpp.pictures import (
    ENDS_OF_TURNS,
    ControlTexts,
    PicturePlaces,
    Stretch,
    stand_in,
    stretches,
)
from antiphon.errors import EngineFault, EngineRefused

_NO_TOKEN: Final = -1  # the server hands numbers through as they are
_PROBE: Final = "a"


class AskTokens(Protocol):
    """The server's `/tokenize`: a text, or texts with tokens among them, which stay as they are.

    `special`: texts of control tokens become them. `ends`: add what the model wants around a text.
    """

    def __call__(
        self, content: str | Sequence[str | int], *, special: bool, ends: bool = False
    ) -> Awaitable[list[int]]:
        """The tokens."""
        ...


class PromptTokenizer:
    """Tokenizes prompts for one model, with at most two calls however many segments there are.

    `bos_text`: the beginning-of-text token as a template would write it. `places`: None where the model sees no
    pictures. `opening`: the tokens that the model wants before a prompt, found with `find_opening`.
    """

    def __init__(self, ask: AskTokens, bos_text: str, places: PicturePlaces | None = None) -> None:
        self._ask = ask
        self._bos_text = bos_text
        self._places = places
        self._control = ControlTexts(())
        self.opening: tuple[int, ...] = ()
        self._has_ending = False

    async def find_opening(self) -> None:
        """Ask what this model wants before a prompt: where the header is silent, only the tokenizer knows.

        What some models want after a text (an end token) is not for prompts, and is left out.
        """
        bare = await self._ask(_PROBE, special=False)
        dressed = await self._ask(_PROBE, special=False, ends=True)
        self.opening = tuple(dressed[: dressed.index(bare[0])]) if bare and bare[0] in dressed else ()
        self._has_ending = len(dressed) > len(self.opening) + len(bare)

    async def prepare_pictures(self, known: Collection[str]) -> None:
        """Find out, behind `find_opening`, which texts are control tokens besides the known ones.

        Raises `EngineFault` for a model that can take no prompts with pictures.
        """
        if self._has_ending:
            raise EngineFault(
                "the model's file asks for an end token behind every text, and llama.cpp would put it behind every "
                "prompt with pictures. Set the model's `projector` to none, or get another file of the model."
            )
        asked = [text for text in ENDS_OF_TURNS if text not in known]
        plain, special = await self._each(asked, special=False), await self._each(asked, special=True)
        self._control = ControlTexts({*known, *(text for text in asked if plain[text] != special[text])})

    def stretches(self, segments: Sequence[Segment]) -> list[Stretch]:
        """A prompt with pictures, as the server wants it: it puts the beginning-of-text token before it itself."""
        if self._places is None:
            raise EngineRefused("the prompt has pictures, and the model has no projector to see them with")
        found = stretches(segments, self._control)
        first = found[0]
        if self.opening and self._bos_text and isinstance(first, str) and first.startswith(self._bos_text):
            rest = first.removeprefix(self._bos_text)
            return [rest, *found[1:]] if rest else found[1:]
        return found

    async def tokens_of(self, text: str) -> list[int]:
        """The tokens of a text by itself, none of them a control token."""
        return await self._ask(text, special=False)

    async def single_tokens(self, texts: Collection[str]) -> set[str]:
        """Those of the texts that are one token where control tokens are read."""
        return {text for text, found in (await self._each(sorted(texts), special=True)).items() if len(found) == 1}

    async def control_tokens(self, texts: Collection[str]) -> dict[str, int]:
        """The control tokens among these texts: those that are one only where texts are read so.

        What a vocabulary calls user-defined is a token everywhere, and shows its text.
        """
        plain, special = await self._each(sorted(texts), special=False), await self._each(sorted(texts), special=True)
        return {text: found[0] for text, found in special.items() if len(found) == 1 and found != plain[text]}

    async def tokens(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """The prompt's tokens. A template that writes the beginning-of-text token itself gets no second one.

        `begins=False`: the segments go on from others, and have no beginning.
        """
        opening = self.opening if begins else ()
        if any(segment.image for segment in segments):
            return (*opening, *await self._with_pictures(segments))
        runs = join_runs(segments)
        plain = await self._each(list(dict.fromkeys(run.text for run in runs if not run.markup)), special=False)
        content: list[str | int] = []
        for run in runs:
            content.extend([run.text] if run.markup else plain[run.text])
        tokens = await self._ask(content, special=True) if content else []
        return tuple(tokens) if self._is_opened(runs) else (*opening, *tokens)

    async def _with_pictures(self, segments: Sequence[Segment]) -> list[int]:
        content: list[str | int] = []
        for stretch in self.stretches(segments):
            if isinstance(stretch, Image):
                assert self._places is not None
                content += [stand_in(stretch)] * await self._places.of(stretch)
            else:
                content.append(stretch)
        return await self._ask(content, special=True)

    def _is_opened(self, runs: Sequence[Segment]) -> bool:
        return bool(self._bos_text and runs and runs[0].markup and runs[0].text.startswith(self._bos_text))

    async def _each(self, texts: Sequence[str], *, special: bool) -> dict[str, list[int]]:
        """The tokens of each text, all in one call."""
        if not texts:
            return {}
        content: list[str | int] = []
        for text in texts:
            content += [text, _NO_TOKEN]
        tokens = await self._ask(content, special=special)
        found: dict[str, list[int]] = {}
        start = 0
        for text in texts:
            end = tokens.index(_NO_TOKEN, start)
            found[text] = tokens[start:end]
            start = end + 1
        return found
