"""What is tried at an engine before it is used: whether it keeps what this server promises.

An engine may take a field and ignore it, or read a grammar in a dialect of its own; so each thing is done once, and
the result compared. The grammar is one that only llguidance reads, and that a reasoning parser would delay.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar
from uuid import uuid4

from antiphon.dialogue.rendered import Segment
from antiphon.engines.grammar import GrammarWriter
from antiphon.engines.remote.connection import Connection, EngineBroken
from antiphon.engines.remote.dialects.ask import Ask, Dialect, Draw, Heard
from antiphon.engines.remote.endpoint import Finding
from antiphon.engines.remote.tokens.kinds import About, Kind
from antiphon.engines.remote.tokens.listening import listen
from antiphon.engines.remote.tokens.pictures import Sight, Trial
from antiphon.engines.remote.tokens.tokenizer import LocalTokenizer
from antiphon.errors import EngineFault, EngineRefused, EngineUnavailable

PICTURES: Final = "pictures"

PATIENCE: Final = 120.0
"""Seconds for one of the tries: an engine may just be warming up, or be busy."""

_FORCED: Final = "one 😀 two three"
_STOP: Final = "two"
# Long enough for two blocks of a prefix cache, whose blocks are of up to 128 tokens.
_REPEATED: Final = 600
_SAMPLES: Final = (
    "Hello, world! It's 10:45.",
    " two  blanks,\ta tab\n\nand lines\n",
    "12345 + 67890 = 80235",
    "naïve façade, Grüße, Ελληνικά, עברית",
    "日本語の文章、汉字、한국어",
    "😀🎉👩‍👩‍👧",
    'def f(x):\n    return {"a": [x**2]}',
)

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: how to speak to the engine, whether it looks for stop texts itself, and the table. `sight`:
    how it sees pictures, None where it does not."""

    dialect: Dialect
    sends_stops: bool
    rows: tuple[Finding, ...]
    sight: Sight | None = None

    @property
    def blind(self) -> tuple[Finding, ...]:
        """What was found of pictures that are not shown to the model."""
        return tuple(row for row in self.rows if row.subject == PICTURES and not row.holds)


@dataclass(slots=True)
class _Reply:
    """A reply that was heard to its end."""

    tokens: list[int] = field(default_factory=list[int])
    last: Heard = field(default_factory=Heard)
    cached: int | None = None


class Prober:
    """Tries one engine."""

    def __init__(self, connection: Connection, kind: Kind, tokenizer: LocalTokenizer, about: About) -> None:
        self._connection = connection
        self._kind = kind
        self._tokenizer = tokenizer
        self._about = about
        self._dialect = kind.dialects[-1]
        self._grammars = GrammarWriter(tokenizer.control, tokenizer.ends)
        self._prompt = (*tokenizer.opening, *tokenizer.read("Hello"))

    async def run(self) -> Tried:
        """Everything, one after the other. Raises `EngineFault` where the engine does not even write a token."""
        rows = [await self._find_dialect(), *self._about.rows, await self._compare_tokenizers()]
        rows.append(await self._try_grammar())
        stops = await self._try_stops()
        rows += [stops, *await self._try_cache()]
        rows.append(Finding("window", self._about.window > 0, f"{self._about.window} tokens"))
        seen, sight = await self._try_pictures()
        return Tried(self._dialect, stops.holds, (*rows, *seen), sight)

    async def _find_dialect(self) -> Finding:
        """The best of the raw endpoints that writes a token."""
        *better, last = self._kind.dialects
        refused = ""
        for dialect in better:
            try:
                await self._write(dialect, self._ask(1))
            except EngineRefused as problem:
                refused = f"; {dialect.path} is not to be had: {problem}"
                continue
            self._dialect = dialect
            return Finding("endpoint", True, dialect.path)
        await self._write(last, self._ask(1))
        self._dialect = last
        remedy = "--enable-scale-out, for any number of stop texts" if refused else ""
        return Finding("endpoint", not refused, f"{last.path}{refused}", remedy, needed=False)

    async def _compare_tokenizers(self) -> Finding:
        control = "".join(f"a{text}" for text in sorted(self._tokenizer.control)[:20])
        differing: list[str] = []
        try:
            for sample in (*_SAMPLES, control):
                ours = self._tokenizer.read(sample)
                theirs = await self._timed(self._kind.tokenize(self._connection, sample))
                back = await self._timed(self._kind.detokenize(self._connection, ours))
                if ours != theirs or back != self._tokenizer.text(ours):
                    differing.append(sample)
        except EngineRefused as problem:
            return Finding("tokenizer", False, f"cannot be compared: {problem}", needed=False)
        if differing:
            says = f"is not the one given here: they differ in {differing[0]!r}"
            return Finding("tokenizer", False, says, "name the model's own with --tokenizer")
        return Finding("tokenizer", True, f"the same in {len(_SAMPLES) + 1} texts")

    async def _try_grammar(self) -> Finding:
        """A control token by its number, and a letter out of a pattern without another."""
        ends = self._tokenizer.ends
        first = next((token for token in self._tokenizer.control.values() if token not in ends), self._prompt[-1])
        grammar = f"start: <[{first}]> T\nT: /[ab]/ & ~/a/\n"
        remedy = self._kind.remedies.grammar
        try:
            reply = await self._write(self._dialect, self._ask(8, grammar=grammar))
        except (EngineRefused, EngineUnavailable) as problem:
            return Finding("grammars", False, f"are not read as llguidance reads them: {problem}", remedy)
        written = [token for token in reply.tokens if token not in ends]
        if written[:1] == [first] and self._tokenizer.text(written[1:]) == "b" and reply.last.reason == "end":
            return Finding("grammars", True, "hold from the first token")
        if self._dialect.reasons_first:
            remedy = f"{remedy}; with a reasoning parser also {self._kind.remedies.reasoning}"
        return Finding("grammars", False, f"are not kept: {self._tokenizer.text(reply.tokens)!r} was written", remedy)

    async def _try_stops(self) -> Finding:
        """The engine ends at a stop text; besides, the text is of the tokens that it should be of."""
        ask = self._ask(40, grammar=f'start: "{_FORCED}"\n', stops=(_STOP,))
        try:
            reply = await self._write(self._dialect, ask)
        except (EngineRefused, EngineUnavailable) as problem:
            return Finding("stop texts", False, f"are looked for on this side: {problem}", needed=False)
        text = self._tokenizer.text(reply.tokens)
        if reply.last.matched != _STOP or not (text.startswith(_FORCED[: _FORCED.index(_STOP)]) and _STOP in text):
            says = f"are looked for on this side: {text!r} ended with {reply.last.reason}"
            return Finding("stop texts", False, says, needed=False)
        return Finding("stop texts", True, "end the work in the engine")

    async def _try_cache(self) -> list[Finding]:
        """A prompt that nobody has sent before, twice, and then as somebody else."""
        length = min(_REPEATED, self._about.window - 2)
        prompt = self._tokenizer.read(" ".join(uuid4().hex for _ in range(length // 8)))[:length]
        ask = replace(self._ask(1), tokens=prompt)
        first, again = await self._write(self._dialect, ask), await self._write(self._dialect, replace(ask, id=_id()))
        remedies = self._kind.remedies
        if first.cached is None and again.cached is None:
            return [Finding("cached tokens", False, "are not told", remedies.cached)]
        if not again.cached:
            says = "none of a prompt that comes again: every turn is read anew from its beginning"
            return [Finding("cached tokens", False, says, "turn the engine's prefix cache on", needed=False)]
        told = Finding("cached tokens", True, f"{again.cached} of {len(prompt)} of a prompt that comes again")
        other = await self._write(self._dialect, replace(ask, id=_id(), salt=_id()))
        shared = bool(other.cached)
        says = "share one cache: what is read fast was asked before" if shared else "have own caches"
        return [told, Finding("tenants", not shared, says, needed=False)]

    async def _try_pictures(self) -> tuple[list[Finding], Sight | None]:
        """Whether it sees, by what it says that it has read. A model without sight gets no row."""
        if not self._dialect.sees:
            return self._unseen(), None
        try:
            trial = Trial(self._text_around_pictures(), self._read, self._plain, self._tokenizer.text)
            sight = await self._timed(self._kind.sight(self._connection, self._about.model, trial))
        except EngineUnavailable as problem:
            if not isinstance(problem, EngineBroken):
                raise
            return [Finding(PICTURES, False, f"refused: {problem}", needed=False)], None
        except EngineFault as problem:
            return [Finding(PICTURES, False, f"refused: {problem}", needed=False)], None
        if sight is None:
            return [], None
        return [Finding(PICTURES, True, "seen, and counted as they are read", needed=False)], sight

    def _unseen(self) -> list[Finding]:
        """What is said of pictures where the raw endpoint takes none, and another one would."""
        if not any(dialect.sees for dialect in self._kind.dialects):
            return []
        says = f"refused: {self._dialect.path} takes none beside a prompt of tokens"
        return [Finding(PICTURES, False, says, "--enable-scale-out, where the model sees", needed=False)]

    def _text_around_pictures(self) -> tuple[int, ...]:
        """Tokens of a text with a control token's text in it, which is no control token there."""
        plain = self._plain(self._tokenizer.text(self._tokenizer.ends[:1]))
        # Lines' ends on both sides: some models join them with those of a picture.
        return (*self._tokenizer.opening, *self._tokenizer.read("\nHello "), *plain, *self._tokenizer.read("\n"))

    def _plain(self, text: str) -> tuple[int, ...]:
        return self._tokenizer.tokens((Segment(text, markup=False),), begins=False)

    async def _read(self, tokens: tuple[int, ...], pictures: tuple[bytes, ...]) -> Sequence[int]:
        """The tokens that it has read in the end; none where it does not say."""
        ask = replace(self._ask(1), tokens=tokens, pictures=pictures, tells=True)

        async def hear() -> tuple[int, ...]:
            read: tuple[int, ...] = ()
            async with aclosing(listen(self._connection, self._dialect, ask)) as replies:
                async for heard in replies:
                    read = heard.read or read
                    if read and heard.counted not in (None, len(read)):
                        words = f"it names {len(read)} tokens that it has read, and counts {heard.counted}"
                        raise EngineRefused(words)
            return read

        return await self._timed(hear())

    def _ask(self, max_tokens: int, *, grammar: str | None = None, stops: tuple[str, ...] = ()) -> Ask:
        return Ask(
            id=_id(),
            model=self._about.model,
            tokens=self._prompt,
            max_tokens=max_tokens,
            ends=self._tokenizer.ends,
            draw=Draw(temperature=0.0),
            stops=stops,
            grammar=None if grammar is None else self._grammars.write(grammar),
            salt="probe",
        )

    async def _write(self, dialect: Dialect, ask: Ask) -> _Reply:
        """The reply, with the faults it had."""

        async def hear() -> _Reply:
            reply = _Reply()
            async with aclosing(listen(self._connection, dialect, ask)) as replies:
                async for heard in replies:
                    reply.tokens += heard.tokens
                    reply.cached = reply.cached if heard.cached is None else heard.cached
                    if heard.reason is not None:
                        reply.last = heard
            return reply

        return await self._timed(hear())

    async def _timed(self, question: Coroutine[Any, Any, _Result]) -> _Result:
        try:
            async with asyncio.timeout(PATIENCE):
                return await question
        except TimeoutError:
            raise EngineUnavailable(f"{self._connection.url} did not answer in {PATIENCE:g} s") from None


def _id() -> str:
    return uuid4().hex
