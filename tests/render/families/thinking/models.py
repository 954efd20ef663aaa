"""Kinds of models that think, each by a chat template in its format, and what a conversation with thoughts is."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal

from antiphon.dialogue.conversation import Conversation, Part, Reasoning, Text, Turn
from antiphon.dialogue.thinking import OFF, Thinking
from antiphon.dialogue.tools import Call, Result
from antiphon.ports.engine import ModelCard
from antiphon.profiles import Effort
from antiphon.render.prompt.builder import PromptBuilder
from tests.render.families.cases import TOOLS

HERE: Final = Path(__file__).parent
TODAY: Final = date(2026, 2, 3)
ON: Final = Thinking(1024)


@dataclass(frozen=True, slots=True)
class Model:
    """`name`: its template's. `keeps`: which earlier thoughts the template tells.

    `open` ones belong to the turn that goes on with results; `all` are those of earlier replies too.
    """

    name: str
    family: str
    keeps: Literal["none", "open", "all"]

    def __str__(self) -> str:
        return self.name

    @property
    def builder(self) -> PromptBuilder:
        return _builder(self.name)


@cache
def _builder(name: str) -> PromptBuilder:
    template = (HERE / "templates" / f"{name}.jinja").read_text(encoding="utf-8")
    return PromptBuilder(ModelCard("m", "m", 4096, chat_template=template, bos_token="<s>", eos_token="</s>"))


MODELS: Final = (
    Model("qwen3", "hermes", "open"),
    Model("qwen3-2507", "hermes", "open"),
    Model("deepseek-r1", "deepseek-v3", "none"),
    Model("deepseek-v3.1", "deepseek-v3.1", "none"),
    Model("gpt-oss", "gpt-oss", "open"),
    Model("glm-4.6", "glm-4.5", "open"),
    Model("glm-4.7", "glm-4.7", "all"),
    Model("kimi-k2-thinking", "kimi-k2", "open"),
    Model("minimax-m2", "minimax-m2", "open"),
    Model("magistral", "mistral", "all"),
    Model("gemma4", "gemma4", "open"),
    Model("granite-3.3", "granite-3", "all"),
    Model("llama3", "llama3", "all"),
    Model("qwen2.5", "hermes", "all"),
    Model("smollm2", "universal", "all"),
)

ASKED: Final = Turn("user", (Text("Weather in Paris?"),))
CALL: Final = Call("toolu_01Paris", "get_weather", {"city": "Paris"})
RAIN: Final = Turn("user", (Result("toolu_01Paris", "get_weather", "rain"),))


def replied(*parts: Part) -> Turn:
    """A reply of the model."""
    return Turn("assistant", parts)


def told(builder: PromptBuilder, *turns: Turn, thinking: Thinking = ON) -> str:
    """The prompt of a conversation with two tools."""
    asked = Conversation((Text("Be brief."),), turns, None, TOOLS[:2], thinking=thinking)
    return "".join(segment.text for segment in builder.build(asked, today=TODAY))


def closed(builder: PromptBuilder, thought: str) -> str:
    """What comes between the thought and the answer."""
    return "".join(segment.text for segment in builder.close_thought(thought))


def golden(model: Model) -> dict[str, str]:
    """The ends of this model's prompts, from the user's last words or the turn that is told."""
    builder = model.builder
    turn = (ASKED, replied(Reasoning("I need a tool.\n"), CALL), RAIN)
    over = (*turn, replied(Reasoning("It rains.\n"), Text("Rain.")), Turn("user", (Text("Thanks."),)))
    prompts = {
        "thinking": told(builder, ASKED),
        "not thinking": told(builder, ASKED, thinking=OFF),
        "in an open turn": told(builder, *turn),
        "in an open turn, not thinking": told(builder, *turn, thinking=OFF),
        "behind earlier thoughts": told(builder, *over),
    }
    start = told(builder, ASKED).index("Weather in Paris?")
    return {case: text[min(start, text.index("Weather in Paris?")) :] for case, text in prompts.items()}


def effort(level: Effort | None) -> Thinking:
    """Thinking at this effort."""
    return Thinking(1024, effort=level)
