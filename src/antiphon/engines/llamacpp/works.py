"""What a llama.cpp server is asked for a piece of work, and what it says of it: every token counted."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from antiphon.dialogue.conversation import Sampling
from antiphon.engines.grammar import GrammarWriter
from antiphon.engines.llamacpp.circles import Circles
from antiphon.engines.llamacpp.pairing import Pairing
from antiphon.engines.llamacpp.sampling import guarded, native_sampling
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece, PrefillProgress


class Works:
    """Works for one model. `control`: its control tokens by their texts; `end`: the text of the one that ends turns.
    `sampling`: what it recommends. `text_of`: asks for the text of tokens. `guard`: see `guarded`."""

    def __init__(
        self,
        control: Mapping[str, int],
        end: str,
        sampling: Sampling,
        text_of: Callable[[Sequence[int]], Awaitable[str]],
        guard: float = 0.0,
    ) -> None:
        self._control = control
        self._sampling = sampling
        self._text_of = text_of
        self._guard = guard
        self._grammars = GrammarWriter(control, [control[end]] if end in control else ())

    def body(self, work: Generation, prompt: object, limit: int) -> dict[str, Any]:
        """What the server is asked; `prompt` as it takes it."""
        shown = self._shown(work)
        body: dict[str, Any] = {
            "prompt": prompt,
            "n_predict": limit,
            # A grammar may want what was said before: the same key in every object of a list.
            **native_sampling(work.sampling, self._sampling, self._guard_of(work)),
        }
        if work.grammar is not None:
            body["grammar"] = self._grammars.write(work.grammar)
        if shown:
            body["preserved_tokens"] = sorted(shown)
        if work.stops:
            body |= {"stop": work.stops, "return_tokens": True}
        return body

    def outputs(
        self, work: Generation, told: AsyncGenerator[EngineOutput, None]
    ) -> AsyncGenerator[EngineOutput, None]:
        """The work's outputs, out of what the server told; see `counted`. A guarded work ends where it goes in
        circles."""
        if guarded(work.sampling, self._guard_of(work)):
            told = _without_circles(told)
        return _counted(self._paired(work, told)) if work.stops else told

    async def _paired(
        self, work: Generation, told: AsyncGenerator[EngineOutput, None]
    ) -> AsyncGenerator[EngineOutput, None]:
        """What the server says, with the tokens of every piece, as far as they are known."""
        shown = self._shown(work)
        pairing = Pairing(frozenset(token for text, token in self._control.items() if text not in shown))
        async with aclosing(told) as outputs:
            async for output in outputs:
                if isinstance(output, Piece):
                    piece = pairing.take(output)
                    if piece is not None:
                        yield piece
                    continue
                if isinstance(output, Done):
                    piece = pairing.end(matched=output.reason == "stop")
                    if piece is not None:
                        yield piece
                    if output.reason == "length" and pairing.held:
                        yield pairing.rest(await self._text_of(pairing.held))
                yield output

    def _guard_of(self, work: Generation) -> float:
        return 0.0 if work.grammar else self._guard

    def _shown(self, work: Generation) -> frozenset[str]:
        """The control tokens that are to be seen in the text."""
        return work.visible.union(*(_control_in(stop, self._control) for stop in work.stops))


def counted(work: Generation) -> bool:
    """Whether what the server told has to count all tokens: see `Telling`. With stop texts they are counted here."""
    return not work.stops


async def _counted(outputs: AsyncGenerator[EngineOutput, None]) -> AsyncGenerator[EngineOutput, None]:
    """The same, where tokens without text are a piece before the end."""
    so_far = 0
    async with aclosing(outputs):
        async for output in outputs:
            if isinstance(output, Piece):
                so_far = output.output_tokens
            elif isinstance(output, Done) and output.output_tokens > so_far:
                yield Piece("", output.output_tokens)
            yield output


async def _without_circles(told: AsyncGenerator[EngineOutput, None]) -> AsyncGenerator[EngineOutput, None]:
    """What the server told, up to the piece that closes a circle."""
    circles, cached = Circles(), 0
    async with aclosing(told) as outputs:
        async for output in outputs:
            yield output
            if isinstance(output, PrefillProgress):
                cached = output.cached
            elif isinstance(output, Piece) and circles.closed_by(output.text):
                yield Done("end", output.output_tokens, cached)
                return


def _control_in(stop: str, control: Iterable[str]) -> frozenset[str]:
    """The control tokens in a stop text: the server looks for it in what it shows."""
    return frozenset(text for text in control if text in stop)
