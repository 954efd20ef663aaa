"""How a reply's thoughts reach the client: shown, summarized, omitted or redacted, and always sealed.

The seal holds the whole thought as the model wrote it, so that the model gets it back whatever the client was shown.
Source: API reference, Extended thinking; Controlling thinking display.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from antiphon.dialogue.events import ReasoningDelta, ReasoningEnd, RedactedReasoning, ReplyEvent
from antiphon.ports.system import Entropy
from antiphon.request.sealed.bindings import Binding
from antiphon.request.told.thinking import Form
from antiphon.seals import NONCE_BYTES, Seals, Thought
from antiphon.service.reply.summarizer import Summarizer

ESTIMATE_STEP: Final = 50
"""Tokens; what is told of the length of a thought that is not shown is a multiple of this."""


class Sealing:
    """Seals the thoughts of one reply, which `model` thinks. `binding`: what comes before the first of them.

    `model` is the binding name: who may read the thoughts again.
    """

    def __init__(self, seals: Seals, entropy: Entropy, model: str, binding: Binding) -> None:
        self._seals = seals
        self._entropy = entropy
        self._model = model
        self._binding = binding

    def sign(self, text: str, tokens: int, shown: str) -> str:
        """The signature of a thinking block."""
        return self._bound(self._seals.seal(self._thought(text, tokens, shown), self._entropy.bytes(NONCE_BYTES)))

    def redact(self, text: str, tokens: int) -> str:
        """The data of a redacted block."""
        return self._bound(
            self._seals.seal_redacted(self._thought(text, tokens, ""), self._entropy.bytes(NONCE_BYTES))
        )

    def _thought(self, text: str, tokens: int, shown: str) -> Thought:
        return Thought(text, self._model, tokens, shown, self._binding.prefix)

    def _bound(self, seal: str) -> str:
        self._binding = self._binding.after(seal)
        return seal


@dataclass(frozen=True, slots=True)
class Telling:
    """How one reply tells its thoughts. `summarizer`: what is `shown` is its account of them, never they themselves.

    `estimates`: where nothing is shown, the client is told how long the thought is so far.
    """

    sealing: Sealing
    form: Form
    summarizer: Summarizer | None = None
    estimates: bool = False

    @property
    def live(self) -> bool:
        """Whether the client reads along while the model thinks."""
        return self.form == "shown" and self.summarizer is None


class Trimmed:
    """A text that comes in pieces, without the white space at its two ends."""

    def __init__(self) -> None:
        self._space: str = ""
        self.begun = False

    def feed(self, text: str) -> str:
        """What of it can be said now."""
        text = self._space + text if self.begun else text.lstrip()
        said = text.rstrip()
        self._space = text[len(said) :]
        self.begun = self.begun or bool(said)
        return said


class Run:
    """One run of reasoning while it is written. A run of nothing but white space is never told."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._written: list[str] = []
        self._shown: list[str] = []
        self._text = Trimmed()
        self._estimated = 0
        self._open = False

    def add(self, text: str, tokens: int) -> list[ReplyEvent]:
        """What this text tells the client; `tokens`: so many the run has with it."""
        self._written.append(text)
        said = self._text.feed(text)
        if not self._text.begun or self._telling.form == "redacted":
            return []
        events: list[ReplyEvent] = []
        if not self._open:
            self._open = True
            events.append(ReasoningDelta(""))
        if self._telling.live:
            events += self._show(said)
        elif self._telling.form == "omitted" and self._telling.estimates:
            events += self._estimate(tokens)
        return events

    async def end(self, tokens: int) -> AsyncGenerator[list[ReplyEvent]]:
        """The events that complete the run, which took so many `tokens`."""
        if not self._text.begun:
            return
        written, telling = "".join(self._written), self._telling
        if telling.form == "redacted":
            yield [RedactedReasoning(telling.sealing.redact(written, tokens))]
            return
        if telling.form == "shown" and telling.summarizer is not None:
            account = Trimmed()
            async with aclosing(telling.summarizer.summarize(written)) as pieces:
                async for piece in pieces:
                    events = self._show(account.feed(piece))
                    if events:
                        yield events
        yield [ReasoningEnd(telling.sealing.sign(written, tokens, "".join(self._shown)))]

    def _show(self, text: str) -> list[ReplyEvent]:
        if not text:
            return []
        self._shown.append(text)
        return [ReasoningDelta(text)]

    def _estimate(self, tokens: int) -> list[ReplyEvent]:
        more = (tokens - self._estimated) // ESTIMATE_STEP * ESTIMATE_STEP
        self._estimated += more
        return [ReasoningDelta("", more)] if more else []
