"""A served model that judges what users ask: safe or unsafe, and decoding lets it say nothing else."""

import asyncio
import logging
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

from antiphon.dialogue.conversation import Conversation, Sampling, Text, Turn
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.errors import EngineFault
from antiphon.ports.engine import Generation, Piece
from antiphon.ports.system import Clock
from antiphon.render.prompt.template import TemplateError
from antiphon.service.guard.heard import heard_last
from antiphon.service.served import ServedModel

log = logging.getLogger(__name__)

PATIENCE: Final = 30.0
_MOST: Final = 16
_TRIES: Final = 3
_VERDICT: Final = 'start: "safe" | "unsafe"\n'
_ASKS: Final = "\n\nAnswer with one word: safe, or unsafe."


class CannotJudgeError(Exception):
    """The model did not answer. The text says why, for the owner."""


class Judge:
    """Asks one served model. `policy`: what it is told to judge by; None: its own template asks it.

    What is longer than its window is judged by beginning and end. `patience`: seconds that it may take.
    """

    def __init__(self, served: ServedModel, policy: str | None, clock: Clock, patience: float = PATIENCE) -> None:
        self._served = served
        self._policy = policy
        self._clock = clock
        self._patience = patience

    async def unsafe(self, conversation: Conversation) -> bool:
        """Whether the last turn of the user is declined. Raises `CannotJudgeError`."""
        try:
            async with asyncio.timeout(self._patience):
                said = await self._answer(await self._prompt(heard_last(conversation)))
        except TimeoutError:
            raise CannotJudgeError(f"it was silent for {self._patience:g} s") from None
        except (EngineFault, TemplateError) as problem:
            raise CannotJudgeError(str(problem)) from problem
        if said not in ("safe", "unsafe"):
            raise CannotJudgeError(f"it said {said!r}")
        return said == "unsafe"

    async def _answer(self, prompt: RenderedPrompt) -> str:
        served, written = self._served, list[str]()
        work = Generation(
            prompt, _MOST, Sampling(temperature=0.0), _VERDICT, visible=served.grammars.visible, plain=True
        )
        async with aclosing(served.engine.generate(work)) as outputs:
            async for output in outputs:
                if isinstance(output, Piece):
                    written.append(output.text)
        return "".join(written).strip()

    async def _prompt(self, asked: str) -> RenderedPrompt:
        engine = self._served.engine
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        room = engine.card.window - _MOST
        system = () if self._policy is None else (Text(self._policy + _ASKS),)
        for _ in range(_TRIES):
            conversation = Conversation(system, (Turn("user", (Text(asked),)),))
            segments = self._served.prompts.build(conversation, today=today)
            tokens = await engine.tokenize(segments)
            if len(tokens) <= room:
                return RenderedPrompt(segments, tokens)
            kept = max(0, len(asked) * room // len(tokens) * 4 // 5)
            asked = f"{asked[: kept // 2]}\n[…]\n{asked[len(asked) - kept // 2 :]}"
        raise CannotJudgeError("its window is too small for the request")
