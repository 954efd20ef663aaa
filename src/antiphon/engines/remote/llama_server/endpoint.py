"""One llama.cpp server at a URL, as an `Endpoint`.

Its slots are not ours: which one a prompt gets is left to it. Prompts go to it as tokens, so that what users write is
read as text whatever it looks like.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.llamacpp.pictures import PicturePlaces, native_prompt
from antiphon.engines.llamacpp.tokenizer import PromptTokenizer
from antiphon.engines.llamacpp.works import Works, counted
from antiphon.engines.remote.connection import Connection
from antiphon.engines.remote.endpoint import Finding, Findings, Identity, session
from antiphon.engines.remote.llama_server.calls import Calls, Properties
from antiphon.engines.remote.llama_server.probes import Probes, blank_picture
from antiphon.engines.remote.llama_server.vocabulary import Vocabulary, find_vocabulary
from antiphon.engines.remote.routers import engines_behind, sessions
from antiphon.errors import EngineFault, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, EngineOutput, Generation, ModelCard, Piece

NAME = "llama-server"
RECOUNT: Final = 10.0
"""Seconds after which a router is asked again how many servers it has."""

_ALIKE = "start all of them with the same model and the same options"
_MARKER = "start all of them with the same LLAMA_MEDIA_MARKER in the environment"
_SAMPLE = "Zwölf Boxkämpfer 123 don't\n\treturn x != [1, 2]; 日本語😀 <|im_end|></s><eos>"


@dataclass(frozen=True, slots=True)
class _Known:
    """What has been learnt of a server."""

    tokenizer: PromptTokenizer
    works: Works
    marker: str


class LlamaServer:
    """A server that somebody else started; see `Endpoint`. `recount`: see `RECOUNT`."""

    def __init__(self, connection: Connection, recount: float = RECOUNT) -> None:
        self._connection = connection
        self._calls = Calls(connection)
        self._known: _Known | None = None
        self._recount = recount
        self._counted = float("-inf")
        self._behind: int | None = None
        self._slots = 0
        self._looks = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return self._connection.url

    @property
    def places(self) -> int:
        """See `Endpoint.places`."""
        return self._slots * max(1, self._behind or 0)

    async def learn(self) -> Findings:
        """See `Endpoint.learn`."""
        try:
            return await self._learn()
        except (ValueError, KeyError, IndexError, TypeError) as problem:
            raise EngineRefused(f"it does not answer as a llama-server does: {problem!r}") from problem

    async def trace(self) -> str:
        """See `Endpoint.trace`. Behind a router, it is that of one of the servers, and of another one next time."""
        await self._count()
        if not self._behind:
            return await self._calls.trace()
        every = list(sessions(self._behind))
        self._looks += 1
        lost = EngineUnavailable(f"nobody is behind the router at {self.url}")
        for headers in every[self._looks % len(every) :] + every[: self._looks % len(every)]:
            try:
                traces, _ = await self._calls.traces([headers])
            except EngineUnavailable as problem:
                # One of them may be gone, and the router not have noticed it: the others can work.
                lost = problem
            else:
                return next(iter(traces))
        raise lost

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """See `Engine.tokenize`."""
        return await self._learnt().tokenizer.tokens(segments, begins=begins)

    def generate(self, work: Generation, limit: int) -> AsyncGenerator[EngineOutput, None]:
        """See `Endpoint.generate`."""
        known = self._learnt()
        body = known.works.body(work, _native(work.prompt, known), limit)
        outputs = known.works.outputs(work, self._calls.complete(body, session(work), counts=counted(work)))
        return outputs if limit else _only_read(outputs)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connection.aclose()

    async def _count(self) -> None:
        """How many servers there are, where that may have changed."""
        now = asyncio.get_running_loop().time()
        if self._behind == 0 or now < self._counted + self._recount:
            return
        self._counted = now
        # A router that has none for now does not turn into a server.
        self._behind = await engines_behind(self._connection) or self._behind or 0

    async def _learn(self) -> Findings:
        says = await self._calls.properties()
        tokenizer = PromptTokenizer(self._calls.tokenize, says.bos_token)
        await tokenizer.find_opening()
        known = (says.bos_token, says.eos_token)
        vocabulary = await find_vocabulary(says.vocabulary, self._calls.text_of, tokenizer, known, says.chat_template)
        works = Works(vocabulary.control, says.eos_token, Sampling(), self._calls.text_of)
        probes = Probes(self._calls, works, tokenizer, vocabulary.control, says.eos_token, says.chat_template)
        rows = [*_told(says, vocabulary), *await probes.findings()]
        sees, markers = False, 1
        self._slots = says.places
        behind = self._behind = await engines_behind(self._connection)
        if behind:
            row, markers = await self._learn_router(behind)
            rows.append(row)
        if says.sees and markers > 1:
            rows.append(Finding("pictures", False, "refused: the servers' markers differ", _MARKER, needed=False))
        elif says.sees:
            row, seeing = await self._learn_to_see(says, vocabulary, probes)
            rows.append(row)
            sees, tokenizer = row.holds, seeing or tokenizer
        self._known = _Known(tokenizer, works, says.marker)
        return Findings(
            engine=NAME,
            version=says.build,
            card=await self._card(says, vocabulary, sees=sees),
            identity=await self._identity(says, tokenizer),
            rows=tuple(rows),
            places=self.places,
        )

    async def _learn_router(self, behind: int) -> tuple[Finding, int]:
        """Whether all servers behind a router are alike, and how many markers they have."""
        traces, markers = await self._calls.traces(sessions(behind))
        if len(traces) > 1:
            return Finding("router", False, f"the {behind} servers behind it are not alike", _ALIKE), len(markers)
        return Finding("router", True, f"{behind} servers behind it, all alike"), len(markers)

    def _learnt(self) -> _Known:
        if self._known is None:
            raise EngineUnavailable(f"nothing is known yet of {self.url}")
        return self._known

    async def _learn_to_see(
        self, says: Properties, vocabulary: Vocabulary, probes: Probes
    ) -> tuple[Finding, PromptTokenizer | None]:
        """Find out what has to be known for prompts with pictures, and whether it can be."""
        if not vocabulary.whole:
            return Finding("pictures", False, "refused: it does not tell its vocabulary", needed=False), None
        try:
            counted = await self._calls.count(_picture_block(base64.b64encode(blank_picture()).decode("ascii")))
            around = await probes.around_pictures(counted, says.marker)

            async def places(picture: str) -> int:
                return await self._calls.count(_picture_block(picture)) - around

            tokenizer = PromptTokenizer(self._calls.tokenize, says.bos_token, PicturePlaces(places))
            await tokenizer.find_opening()
            # The marker is no token; in what users write it is broken all the same.
            await tokenizer.prepare_pictures({*vocabulary.special, says.marker})
        except EngineUnavailable:
            raise
        except EngineFault as problem:
            return Finding("pictures", False, f"refused: {problem}", needed=False), None
        return Finding("pictures", True, "seen, and counted as they are read", needed=False), tokenizer

    async def _card(self, says: Properties, vocabulary: Vocabulary, *, sees: bool) -> ModelCard:
        return ModelCard(
            id="",
            name=" with ".join((says.name, *await self._calls.adapters())),
            window=says.window,
            chat_template=says.chat_template or None,
            bos_token=says.bos_token,
            eos_token=says.eos_token,
            special_tokens=vocabulary.special | {text for text in (says.bos_token, says.eos_token) if text},
            origin=NAME,
            sees=sees,
        )

    async def _identity(self, says: Properties, tokenizer: PromptTokenizer) -> Identity:
        adapters = await self._calls.adapters()
        tokens = await self._calls.tokenize(_SAMPLE, special=True, ends=True)
        return Identity(
            model=" with ".join((says.name, *adapters)) + (f" ({says.size})" if says.size else ""),
            template=_digest(says.chat_template),
            tokenizer=_digest(f"{says.vocabulary} {tokens} {tokenizer.opening}"),
        )


async def _only_read(outputs: AsyncGenerator[EngineOutput, None]) -> AsyncGenerator[EngineOutput, None]:
    """The outputs without the one token that the server writes where none is asked for."""
    async with aclosing(outputs):
        async for output in outputs:
            if isinstance(output, Done):
                yield Done("length", 0, output.cached_tokens)
            elif not isinstance(output, Piece):
                yield output


def _told(says: Properties, vocabulary: Vocabulary) -> list[Finding]:
    """What needs no trying."""
    places = f", in each of {says.places} slots" if says.places > 1 else ""
    own = bool(says.chat_template)
    control = f"{len(vocabulary.control)} control tokens"
    return [
        Finding("window", says.window > 0, f"{says.window} tokens{places}"),
        Finding("chat template", own, "the model's own" if own else "none", needed=False),
        Finding(
            "vocabulary",
            vocabulary.whole,
            f"{says.vocabulary} tokens, {control}" if vocabulary.whole else f"not told; {control} are known",
            needed=False,
        ),
    ]


def _native(prompt: RenderedPrompt, known: _Known) -> tuple[int, ...] | dict[str, Any]:
    """The prompt as the server takes it."""
    if any(segment.image for segment in prompt.segments):
        return native_prompt(known.tokenizer.stretches(prompt.segments), known.marker)
    return prompt.tokens


def _picture_block(picture: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
