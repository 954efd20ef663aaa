"""What is tried at a llama.cpp server before it is believed, with the very bodies that works have."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Final

from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.engines.llamacpp.pictures import BEHIND_PICTURES, ENDS_OF_TURNS, blank_png, native_prompt
from antiphon.engines.llamacpp.tokenizer import PromptTokenizer
from antiphon.engines.llamacpp.works import Works, counted
from antiphon.engines.remote.endpoint import Finding
from antiphon.engines.remote.llama_server.calls import Calls
from antiphon.errors import EngineRefused
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece, PrefillProgress

_GREEDY: Final = Sampling(temperature=0.0)
_TEXT: Final = "The sea was calm that morning, and nobody spoke. " * 4
_MOST: Final = 8
# Whatever else it is that reads grammars, it does not read all of this as llguidance does.
_GRAMMAR: Final = "start: <[{token}]> T\nT: /[ab]/ & ~/a/"
_LLGUIDANCE: Final = "take a llama-server that was built with -DLLAMA_LLGUIDANCE=ON"
_NEWER: Final = "take a newer llama-server"
_SIDE: Final = 64
_SIGN: Final = "~"
_TRIES: Final = 4


@dataclass(slots=True)
class _Told:
    """What came of a work."""

    text: str = ""
    progress: list[PrefillProgress] = field(default_factory=list[PrefillProgress])
    end: Done | None = None


class Probes:
    """Tries one server. `control`: its model's control tokens by their texts; `eos`: the text that ends turns;
    `template`: the model's own, which has texts of those that begin them."""

    def __init__(
        self,
        calls: Calls,
        works: Works,
        tokenizer: PromptTokenizer,
        control: Mapping[str, int],
        eos: str,
        template: str,
    ) -> None:
        self._calls = calls
        self._works = works
        self._tokenizer = tokenizer
        self._control = control
        self._eos = eos
        self._template = template

    async def findings(self) -> list[Finding]:
        """What holds of all that does not depend on the model's senses."""
        rows = await self._grammar()
        rows.append(await self._stop())
        return rows + await self._reading()

    async def around_pictures(self, counted: int, marker: str) -> int:
        """How many tokens more the server counts for a message of a picture than the picture takes in a prompt.

        `counted`: what it counts for `blank_picture`.
        """
        before, picture = "a", Image(blank_png(_SIDE, _SIDE), _SIDE, _SIDE)
        texts = [await self._tokenizer.tokens_of(text) for text in (before, BEHIND_PICTURES)]
        told = await self._run(native_prompt([before, picture, BEHIND_PICTURES], marker), Generation(_EMPTY, 1))
        read = told.progress[-1].total if told.progress else 0
        return counted - (read - len(self._tokenizer.opening) - sum(map(len, texts)))

    async def _grammar(self) -> list[Finding]:
        """One token and one letter are all that may be written, and a control token is not to be seen.

        Some control tokens end a work, and which ones is not told: those are tried first that begin turns, the sign
        that is none last.
        """
        ends = {self._eos, *ENDS_OF_TURNS}
        inner = sorted(
            (text for text in self._control if text not in ends), key=lambda text: text not in self._template
        )
        failed = Finding("grammars", False, "not tried", _LLGUIDANCE)
        for text in (*inner[:_TRIES], ""):
            token = self._control[text] if text else (await self._tokenizer.tokens_of(_SIGN))[-1]
            work = Generation(_EMPTY, _MOST, _GREEDY, _GRAMMAR.format(token=token))
            try:
                told = await self._run(await self._prompt(), work)
            except EngineRefused as problem:
                return [Finding("grammars", False, str(problem), _LLGUIDANCE)]
            bare = told.text
            for control in self._control:
                bare = bare.replace(control, "")
            if bare == ("b" if text else f"{_SIGN}b") and told.end is not None and told.end.reason == "end":
                return [Finding("grammars", True, "kept to, as llguidance reads them"), _shown(bare != told.text)]
            failed = replace(failed, says=f"not kept to: {told.text[:40]!r} was written under one")
        return [failed]

    async def _stop(self) -> Finding:
        told = await self._run(await self._prompt(), Generation(_EMPTY, _MOST, _GREEDY, 'start: "abc"', stops=("b",)))
        if told.end is not None and (told.text, told.end.matched) == ("a", "b"):
            return Finding("stop texts", True, "end the work, and are told")
        return Finding("stop texts", False, f"not found: {told.text[:40]!r} was written", _NEWER)

    async def _reading(self) -> list[Finding]:
        """Reading is told of while it lasts, when hanging up is noticed too; what was read is not read anew."""
        prompt = await self._prompt(_TEXT)
        first = await self._run(prompt, Generation(_EMPTY, 1, _GREEDY))
        again = await self._run(prompt, Generation(_EMPTY, 1, _GREEDY))
        tells, cached = bool(first.progress), again.end.cached_tokens if again.end is not None else 0
        reading = Finding("reading", True, "told of, and stopped at once")
        if not tells:
            reading = Finding("reading", False, "not told of, and not stopped where a client hangs up", _NEWER)
        kept = Finding("cache", True, f"{cached} of {len(prompt)} tokens were not read anew", needed=False)
        if not cached:
            kept = Finding("cache", False, "what was read was read anew; was it busy with others?", needed=False)
        return [reading, kept]

    async def _prompt(self, text: str = "a") -> list[int]:
        return [*self._tokenizer.opening, *await self._tokenizer.tokens_of(text)]

    async def _run(self, prompt: Any, work: Generation) -> _Told:
        told = _Told()
        body = self._works.body(work, prompt, work.max_tokens)
        async with aclosing(self._works.outputs(work, self._calls.complete(body, counts=counted(work)))) as outputs:
            async for output in outputs:
                _take(told, output)
        return told


def _shown(shows: bool) -> Finding:
    if shows:
        return Finding("control tokens", False, "they stand in the text", "start it without --special")
    return Finding("control tokens", True, "kept out of the text")


def blank_picture() -> bytes:
    """The picture that `Probes.around_pictures` shows."""
    return blank_png(_SIDE, _SIDE)


def _take(told: _Told, output: EngineOutput) -> None:
    match output:
        case Piece():
            told.text += output.text
        case PrefillProgress():
            told.progress.append(output)
        case Done():
            told.end = output


_EMPTY: Final = RenderedPrompt((), ())
