"""The scripted model behind the `Engine` port."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from msgspec import structs

from antiphon.dialogue.rendered import Segment
from antiphon.engines.scripted.limits import stopped, with_tokens, within
from antiphon.engines.scripted.memory import ReadPrompts
from antiphon.engines.scripted.script import Failure, Reply, Script, pieces_of
from antiphon.engines.scripted.thoughts import MASK, Thoughts, thought_of
from antiphon.engines.scripted.tokenizer import CONTROL, TURN_END, TURN_START, pieces, tokens
from antiphon.errors import EngineDied, EngineFault, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, EngineHealth, EngineOutput, Generation, ModelCard, Piece, PrefillProgress

CHAT_TEMPLATE: Final = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
PREFILL_STEPS: Final = 10
BURST: Final = 16  # chunks without a delay that are written at one go
_READY: Final = ""
_TURN: Final = re.compile(
    rf"(?<!{MASK}){re.escape(TURN_START)}(\w+)\n(.*?)(?:(?<!{MASK}){re.escape(TURN_END)}|\Z)", re.DOTALL
)


class ScriptedEngine:
    """Replies from a script, deterministically; docs/scripted-engine.md describes it to its users.

    Raises `ScriptError` for a script with a mistake. `sleep` waits for a number of seconds, 0 to let others run.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the card's own field name
        script_text: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._script = Script.parse(script_text)
        self._sleep = sleep
        self._used = [0] * len(self._script.rules)
        self._thoughts = Thoughts()
        self._read = ReadPrompts()
        self._state = "the engine has not been started"
        self._stopped = asyncio.Event()
        self._card = ModelCard(
            id=id,
            name=self._script.name,
            window=self._script.window,
            chat_template=CHAT_TEMPLATE,
            eos_token=TURN_END,
            special_tokens=frozenset(CONTROL),
            origin="script",
            sees=True,
        )

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self._card

    async def start(self) -> None:
        """Be ready to answer."""
        self._state = _READY

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """The tokens of the segments; this model wants none before a prompt."""
        self._check_ready()
        return tokens(segments)

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """Give the reply of the first rule that applies, or go on with the one whose thought is in the prompt."""
        self._check_ready()
        length = len(work.prompt.tokens)
        room = self._card.window - length
        if room < 0:
            raise EngineRefused(f"the prompt has {length} tokens, and the model's window is {self._card.window}")
        segments = [_in_words(segment) for segment in work.prompt.segments]
        reply, thinks_for = self._stretch(segments, work.stops)
        steps = PREFILL_STEPS if reply.prefill else 1
        cached = self._read.known(work.prompt.tokens)
        for step in range(1, steps + 1):
            if reply.prefill:
                await self._sleep(reply.prefill / steps)
            yield PrefillProgress(cached + (length - cached) * step // steps, length, cached)
        self._read.add(work.prompt.tokens)
        if reply.delay:
            await self._sleep(reply.delay)
        limit = min(work.max_tokens, room)
        written, end = _outcome(reply, limit, work.stops)
        for number, piece in enumerate(written, 1):
            self._check_running()
            yield piece
            if reply.chunk_delay or number % BURST == 0:
                # Also without a delay other conversations take their turns.
                await self._sleep(reply.chunk_delay)
        if end is None:
            await self._come_to_grief(reply)
            end = Done(reply.finish if limit else "length", written[-1].output_tokens if written else 0)
        end = structs.replace(end, cached_tokens=cached)
        if thinks_for is not None:
            self._thoughts.add(_masked(segments), "".join(piece.text for piece in written), thinks_for)
        yield end

    def forget(self) -> None:
        """Lose what has been read, as engines do that are short of memory or begin anew."""
        self._read.forget()

    async def health(self) -> EngineHealth:
        """Ready between `start` and `aclose`."""
        return EngineHealth(self._state == _READY, self._state)

    async def aclose(self) -> None:
        """Stop; replies that are being written end with `EngineDied`."""
        self._state = "the engine is stopped"
        self._stopped.set()

    def _check_ready(self) -> None:
        if self._state != _READY:
            raise EngineUnavailable(self._state)

    def _check_running(self) -> None:
        if self._state != _READY:
            raise EngineDied(f"{self._state} in the middle of a reply")

    def _stretch(self, segments: Sequence[Segment], stops: Sequence[str]) -> tuple[Reply, Reply | None]:
        """What is written now, and the reply whose thought that is, if it is one."""
        masked = _masked(segments)
        begun = self._thoughts.take(masked)
        if begun is None:
            reply, verbatim = self._choose(segments, masked)
        else:
            # The prompt was read before the thought.
            reply, verbatim = replace(begun, prefill=0.0), False
        thought = thought_of(reply, stops) if stops and not verbatim else None
        return (reply, None) if thought is None else (thought, reply)

    def _choose(self, segments: Sequence[Segment], masked: str) -> tuple[Reply, bool]:
        """The reply of the first rule that applies, and whether it is for this very place of a reply."""
        turns = _turns(masked)
        user = next((text for speaker, text in reversed(turns) if speaker == "user"), "")
        system = "\n".join([text for speaker, text in turns if speaker == "system"])
        for at, rule in enumerate(self._script.rules):
            if rule.match is not None and rule.match.search(user) is None:
                continue
            if rule.system is not None and rule.system.search(system) is None:
                continue
            prompt = "".join([segment.text for segment in segments]) if rule.prompt else ""
            place = rule.prompt.search(prompt) if rule.prompt else None
            if (rule.prompt is None or place) and (rule.times is None or self._used[at] < rule.times):
                self._used[at] += 1
                return rule.reply, place is not None and place.end() == len(prompt)
        return self._script.default or Reply(pieces_of(pieces(user))), False

    async def _come_to_grief(self, reply: Reply) -> None:
        """Fail or hang, where the reply says so."""
        if reply.hang:
            await self._stopped.wait()
            self._check_running()
        if reply.failure is not None:
            raise _fault(reply.failure)


def _fault(failure: Failure) -> EngineFault:
    text = f"the script says so: {failure}"
    match failure:
        case "unavailable":
            return EngineUnavailable(text)
        case "died":
            return EngineDied(text)
        case "refused":
            return EngineRefused(text)


def _in_words(segment: Segment) -> Segment:
    """A picture as scripts see it."""
    image = segment.image
    return segment if image is None else Segment(f"[image {image.width}x{image.height}]", markup=False)


def _outcome(reply: Reply, limit: int, stops: Sequence[str]) -> tuple[tuple[Piece, ...], Done | None]:
    """What of a reply is written, and what ends it; None where that is the reply's own matter."""
    asked = reply.pieces[: reply.stop_after]
    if limit == 0 and asked:
        return (), Done("length", 0)
    written = within(asked, limit)
    if stops:
        written = with_tokens(written)
        stop = stopped(written, stops)
        if stop is not None:
            return stop.written, Done("stop", stop.output_tokens, matched=stop.matched)
    return written, Done("length", limit) if asked and asked[-1].output_tokens > limit else None


def _masked(segments: Sequence[Segment]) -> str:
    """A prompt as text, in which what users wrote never starts or ends a turn."""
    return "".join(
        segment.text if segment.markup else segment.text.replace("<|", f"{MASK}<|") for segment in segments
    )


def _turns(masked: str) -> list[tuple[str, str]]:
    """The speakers and texts of a prompt of this engine's own template."""
    return [(speaker, text.replace(MASK, "")) for speaker, text in _TURN.findall(masked)]
