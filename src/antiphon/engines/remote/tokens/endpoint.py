"""One engine that takes and gives tokens, at one URL: a connection, a dialect, and the model's tokenizer here."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Final
from uuid import uuid4

from msgspec import structs

from antiphon.dialogue.rendered import Segment
from antiphon.engines.grammar import GrammarWriter
from antiphon.engines.remote.connection import Connection
from antiphon.engines.remote.dialects.ask import Ask, Dialect, Draw, Heard
from antiphon.engines.remote.endpoint import Findings, Identity, session
from antiphon.engines.remote.tokens.kinds import Kind
from antiphon.engines.remote.tokens.listening import listen
from antiphon.engines.remote.tokens.pictures import Sight
from antiphon.engines.remote.tokens.probes import Prober
from antiphon.engines.remote.tokens.reading import StopsToSend, TokenReader, Vocabulary
from antiphon.engines.remote.tokens.tokenizer import LocalTokenizer
from antiphon.engines.remote.tokens.watch import Lookalikes, declined, watched
from antiphon.errors import EngineDied, EngineFault
from antiphon.ports.engine import Done, EngineOutput, Generation, ModelCard, Piece, PrefillProgress

_ABORT_TIMEOUT: Final = 2.0
# An engine that was told of a stop text ends by itself, and then says what it had cached.
_LAST_WORDS: Final = 1.0
# Characters that are tokenized without leaving the loop, in some 5 ms.
_AT_ONCE: Final = 16_384


class TokenEndpoint:
    """Keeps the port `Endpoint`. `kind`: whose engine it is. Takes the connection over."""

    def __init__(self, connection: Connection, kind: Kind, tokenizer: LocalTokenizer) -> None:
        self._connection = connection
        self._kind = kind
        self._tokenizer = tokenizer
        self._vocabulary = Vocabulary(tokenizer.piece, tokenizer.control, tokenizer.ends)
        self._to_send = StopsToSend(tokenizer.control)
        self._lookalikes = Lookalikes(tokenizer)
        self._sends_stops = True
        self._grammars = GrammarWriter(tokenizer.control, tokenizer.ends)
        self._dialect: Dialect = kind.dialects[-1]
        self._model = ""
        self._sight: Sight | None = None
        self._places = 0
        self._aborting: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where the engine is."""
        return self._connection.url

    @property
    def places(self) -> int:
        """See `Endpoint.places`."""
        return self._places

    @property
    def dialect(self) -> Dialect:
        """How it is spoken to; settled when `learn` returns."""
        return self._dialect

    async def learn(self) -> Findings:
        """See `Endpoint.learn`."""
        about = await self._kind.about(self._connection)
        prober = Prober(self._connection, self._kind, self._tokenizer, about)
        tried = await prober.run()
        self._model, self._dialect, self._sends_stops = about.model, tried.dialect, tried.sends_stops
        self._places, self._sight = about.places, tried.sight
        tokenizer = self._tokenizer
        card = ModelCard(
            id=about.model,
            name=about.model,
            window=about.window,
            chat_template=tokenizer.chat_template,
            bos_token=tokenizer.bos_token,
            eos_token=tokenizer.eos_token,
            special_tokens=tokenizer.special_tokens,
            sampling=tokenizer.sampling,
            sees=tried.sight is not None,
            blind="; ".join(f"{row.says}: {row.remedy}" if row.remedy else row.says for row in tried.blind),
            origin=f"{self._kind.engine} {about.version} at {self.url}",
        )
        identity = Identity(about.model, tokenizer.template_digest, tokenizer.digest)
        return Findings(self._kind.engine, about.version, card, identity, tried.rows, about.places)

    async def trace(self) -> str:
        """See `Endpoint.trace`."""
        return await self._kind.trace(self._connection)

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """See `Engine.tokenize`. No request is made, but for a picture of a size that was not counted yet; what takes
        long is done in a thread."""
        pictures = None if self._sight is None else await self._sight.tokens_of(segments)
        if sum(len(segment.text) for segment in segments) <= _AT_ONCE:
            return self._tokenizer.tokens(segments, begins=begins, pictures=pictures)
        return await asyncio.to_thread(self._tokenizer.tokens, segments, begins=begins, pictures=pictures)

    async def generate(self, work: Generation, limit: int) -> AsyncGenerator[EngineOutput]:
        """See `Endpoint.generate`."""
        shown = self._vocabulary.shown_for(work.visible, work.stops)
        ask, replies = await self._asked(work, self._ask(work, limit, shown))
        reader = TokenReader(self._vocabulary, shown, work.stops)
        total, cached, read, over = len(work.prompt.tokens), 0, False, False
        try:
            async with aclosing(replies):
                async for heard in replies:
                    cached = cached if heard.cached is None else heard.cached
                    if not read:
                        read = True
                        yield PrefillProgress(total, total, min(cached, total))
                    over = over or heard.reason is not None
                    for piece in _pieces(reader, heard) if limit else ():
                        yield piece
                    if reader.end is not None and not over:
                        cached = await self._last_words(replies, ask, reader.end, cached)
                        break
        finally:
            if not over:
                self._abort(ask.id)
        if reader.end is None and (limit or not over):
            raise EngineDied("the engine ended its reply without saying why")
        yield structs.replace(reader.end or Done("length", 0), cached_tokens=cached)

    async def aclose(self) -> None:
        """Close all connections; what is on the way to the engine is waited for, for a moment."""
        await asyncio.gather(*self._aborting, return_exceptions=True)
        await self._connection.aclose()

    def _ask(self, work: Generation, limit: int, shown: frozenset[str]) -> Ask:
        stops = self._to_send.of(work.stops, shown, self._dialect.most_stops) if self._sends_stops else []
        return Ask(
            id=uuid4().hex,
            model=self._model,
            tokens=work.prompt.tokens,
            max_tokens=limit if limit or self._dialect.reads_only else 1,
            ends=self._tokenizer.ends,
            draw=Draw.of(work.sampling, self._tokenizer.sampling),
            stops=tuple(stops) if limit else (),
            grammar=None if work.grammar is None else self._grammars.write(work.grammar),
            salt=work.tenant,
            conversation=work.conversation,
        )

    async def _asked(self, work: Generation, ask: Ask) -> tuple[Ask, AsyncGenerator[Heard, None]]:
        """What is sent, with the prompt's pictures in it, and what will be heard of it."""
        prompt, headers = work.prompt, session(work)
        if self._sight is None or not any(segment.image for segment in prompt.segments):
            return ask, listen(self._connection, self._dialect, ask, headers)
        tokens, pictures = await self._sight.native(prompt.segments, prompt.tokens)
        ask = replace(ask, tokens=tokens, pictures=pictures)
        if not self._sight.watched:
            return ask, listen(self._connection, self._dialect, ask, headers)
        found = await asyncio.to_thread(self._lookalikes.of, prompt.tokens)
        if unfit := [text for text in found if text in self._sight.unfit]:
            raise declined(unfit)
        ask = replace(ask, tells=bool(found))
        return ask, watched(listen(self._connection, self._dialect, ask, headers), prompt.tokens, found)

    async def _last_words(self, replies: AsyncGenerator[Heard, None], ask: Ask, end: Done, cached: int) -> int:
        """What was cached, of an engine that says so at the end, where this side has seen the end before it.

        One that was not told of the stop text is told to end.
        """
        if end.reason == "stop" and end.matched not in ask.stops:
            asked = self._dialect.abort(ask.id)
            if asked is None or cached:
                return cached
            await self._tell(*asked)
        with suppress(TimeoutError, EngineFault):
            async with asyncio.timeout(_LAST_WORDS):
                async for heard in replies:
                    cached = cached if heard.cached is None else heard.cached
        return cached

    def _abort(self, id: str) -> None:  # noqa: A002 - the name it has in `Ask`
        asked = self._dialect.abort(id) if self._dialect.lingers else None
        if asked is not None:
            task = asyncio.create_task(self._tell(*asked))
            self._aborting.add(task)
            task.add_done_callback(self._aborting.discard)

    async def _tell(self, path: str, body: object) -> None:
        with suppress(EngineFault):  # then the engine finds out by itself
            await self._connection.post(path, body, patience=_ABORT_TIMEOUT)


def _pieces(reader: TokenReader, heard: Heard) -> list[Piece]:
    """The pieces of one event."""
    if reader.end is not None:
        return []
    pieces = reader.take(heard.tokens)
    if heard.reason is not None and reader.end is None:
        pieces += reader.finish(Done(heard.reason, reader.count, matched=heard.matched))
    return pieces
