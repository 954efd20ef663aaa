"""Work for the reply loop, on an engine that writes what a test says."""

from typing import Any, Final

from antiphon.dialogue.conversation import Conversation, Limits, Text, Turn
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.dialogue.thinking import OFF, Thinking
from antiphon.render.families.syntax import Family
from antiphon.request.sealed.bindings import Binding
from antiphon.request.task import Task
from antiphon.request.told.thinking import Form
from antiphon.seals import Seals
from antiphon.service.reply.telling import Sealing, Telling
from antiphon.service.reply.work import Work
from antiphon.service.served import ServedModel
from antiphon.testing import CountingEntropy
from antiphon.wire.reply import Message, Usage
from tests.service.engines import PlannedEngine

SEALS: Final = Seals([bytes(32)])
SHORT: Final = Thinking(8)


def work(
    engine: PlannedEngine,
    thinking: Thinking = SHORT,
    *,
    family: Family | None = None,
    form: Form = "shown",
    max_tokens: int = 100,
    stops: tuple[str, ...] = (),
    **conversation: Any,
) -> Work:
    """Work whose prompt is one token."""
    engine.number("PROMPT")
    return Work(
        served=ServedModel.of(engine, family),
        prompt=RenderedPrompt((Segment("PROMPT"),), (0,)),
        task=Task(
            Conversation((), (Turn("user", (Text("Hi"),)),), thinking=thinking, **conversation),
            Limits(max_tokens, stops),
        ),
        window=engine.window,
        opening=Message(model="m", id="msg_1", usage=Usage(input_tokens=1, output_tokens=0)),
        new_call_id=lambda: "toolu_1",
        telling=None if thinking == OFF else Telling(Sealing(SEALS, CountingEntropy(), "m", Binding()), form),
    )
