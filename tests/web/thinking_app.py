"""An app whose model thinks by a script, with every piece of work that its engine was given."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from antiphon.config import ThinkingSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.engines.scripted.tokenizer import pieces
from antiphon.ports.engine import EngineOutput, Generation, ModelCard
from antiphon.ports.server_tools import ServerTool
from antiphon.ports.system import Clock
from antiphon.seals import Seals
from antiphon.service.media.intake import MediaIntake
from antiphon.testing import Answer, engine_app
from antiphon.testing.app import SEALS
from tests.service.media.doubles import intake

MODEL = "claude-opus-4-5-20251101"
OPENED = "'<thinking>\\n\\Z'"
"""The condition, as TOML, of a reply that is a thought."""


class WatchedEngine(ScriptedEngine):
    """Remembers the work that it was given. `template`: the model's chat template, where it is another."""

    def __init__(self, id: str, script_text: str, template: str | None = None) -> None:  # noqa: A002 - the card's own field name
        super().__init__(id, script_text)
        self.asked: list[Generation] = []
        self._template = template

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        card = super().card
        return card if self._template is None else replace(card, chat_template=self._template)

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """Give the reply of the first rule that applies."""
        self.asked.append(work)
        async for output in super().generate(work):
            yield output


class ThinkingApp:
    """The app as a client has it. `summarizer`: the script of a model that retells thoughts. `template`: the model's
    chat template, where it is not the scripted model's own. `runs`: tools that the server runs itself. `media`: reads
    files; a double, unless a test gives another."""

    def __init__(
        self,
        script: str,
        summarizer: str | None = None,
        template: str | None = None,
        seals: Seals = SEALS,
        runs: Sequence[ServerTool] = (),
        clock: Clock | None = None,
        media: MediaIntake | None = None,
        **options: Any,
    ) -> None:
        self._media = media or intake()
        self._runs = runs
        self._clock = clock
        self._template = template
        self._seals = seals
        self._scripts = {"scripted": script} | ({} if summarizer is None else {"retells": summarizer})
        thinking = ThinkingSettings(summarizer=None if summarizer is None else "retells")
        self._options: dict[str, Any] = {"thinking": thinking, **options}
        self._running = AsyncExitStack()
        self.engines: dict[str, WatchedEngine] = {}

    async def __aenter__(self) -> "ThinkingApp":
        self.engines = {id_: WatchedEngine(id_, script, self._template) for id_, script in self._scripts.items()}
        served = engine_app(
            *self.engines.values(),
            clock=self._clock,
            seals=self._seals,
            media=self._media,
            runs=self._runs,
            **self._options,
        )
        self.bridge = await self._running.enter_async_context(served)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    @property
    def prompts(self) -> list[str]:
        """The prompts that the model was given, in order."""
        return [work.prompt.text for work in self.engines["scripted"].asked]

    async def post(self, request: dict[str, Any], *betas: str) -> Answer:
        """`POST /v1/messages`."""
        return await self.bridge.post(request, headers={"anthropic-beta": ",".join(betas) or None})

    async def reply(self, request: dict[str, Any], *betas: str) -> dict[str, Any]:
        """The message that a request that nothing is wrong with gets."""
        answer = await self.post(request, *betas)
        assert answer.status == 200, answer.body
        return answer.json

    async def refusal(self, request: dict[str, Any], *betas: str) -> str:
        """The message of the error that a wrong request gets."""
        answer = await self.post(request, *betas)
        assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error"), answer.body
        return answer.json["error"]["message"]

    async def count(self, request: dict[str, Any], *betas: str) -> dict[str, Any]:
        """`POST /v1/messages/count_tokens` of the same request."""
        asked = {key: value for key, value in request.items() if key not in ("max_tokens", "stream")}
        headers = {"anthropic-beta": ",".join(betas) or None}
        answer = await self.bridge.ask("POST", "/v1/messages/count_tokens", asked, headers=headers)
        assert answer.status == 200, answer.body
        return answer.json


def reply(text: str, more: str = "") -> str:
    """A rule of a script; `text` in TOML's own spelling."""
    return f'[[reply]]\n{more}\ntext = "{text}"\n'


def thought(text: str, more: str = "") -> str:
    """The rule of a thought."""
    return reply(text, f"prompt = {OPENED}\n{more}")


def ask(messages: str | Sequence[dict[str, Any]] = "2 + 2?", **more: Any) -> dict[str, Any]:
    """A request with a thinking budget; more or other keys as given, None takes one away."""
    told = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
    request: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "messages": told,
        **more,
    }
    return {key: value for key, value in request.items() if value is not None}


def tokens(text: str) -> int:
    """How many tokens the scripted model writes for a text."""
    return len(pieces(text))
