"""A model's own chat template, run in a sandbox, and what it can and cannot say.

Templates are code from a model file, so they run in a sandbox. What they are given is what chat templates are written
for (`raise_exception`, `strftime_now`); source: the chat-template documentation of the transformers library. The day
is an argument: nothing here reads a clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Literal, NoReturn

from jinja2 import TemplateError as JinjaTemplateError

from antiphon.render.prompt.kept import KeptTexts
from antiphon.render.prompt.sandbox import Sandbox

FALLBACK_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message['role'] | capitalize + ': ' + message['content'] + '\\n\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)

_PROBE_DAY = date(2000, 1, 1)

_THINKS: Mapping[str, Any] = {"enable_thinking": True, "thinking": True}

_THINKS_NOT: Mapping[str, Any] = {"enable_thinking": False, "thinking": False}

_THOUGHT_FIELDS = ("reasoning_content", "thinking", "reasoning")

_PROBE_TOOL: Mapping[str, Any] = {
    "type": "function",
    "function": {
        "name": "tq5",
        "description": "dq6",
        "parameters": {"type": "object", "properties": {"pq7": {"type": "string", "description": "a"}}},
    },
}


class TemplateError(Exception):
    """The template cannot be read, or will not say this conversation."""


ArgumentsForm = Literal["object", "text"]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a template takes without complaint and without losing text.

    `system`: a system message at the start. `late_system`: system messages after the first turn, in place.
    `assistant_first`: a conversation that an assistant message opens. `tools`: definitions of tools. `calls`: calls
    and their results, with arguments as an object or as JSON text; None: not at all. `several_calls`: in one message.
    `text_beside_calls`: in one message. `text_before_calls`: in an assistant's message of its own.
    `user_behind_results`: a user's message with no reply before it. `empty_beside_calls`: what stands for the text of
    a message that has none, but calls. `thought_field`: where a message's thought belongs, None where there is no
    such place. `text_beside_thought`: in one message with calls. `thinking_switch`: the prompt differs by whether to
    think. `reply_gap`: the white space between the prompt's end and a reply's text. `around_thought`: a prompt, what
    stands between its end and a thought, and between the thought and a reply's text; None where the template does not
    tell the last reply's thought.
    """

    system: bool
    late_system: bool
    assistant_first: bool
    tools: bool
    calls: ArgumentsForm | None
    several_calls: bool
    text_beside_calls: bool
    text_before_calls: bool
    user_behind_results: bool
    empty_beside_calls: str | None
    thought_field: str | None
    text_beside_thought: bool
    thinking_switch: bool
    reply_gap: str
    around_thought: tuple[str, str, str] | None


class ChatTemplate:
    """One model's template, compiled once. Raises `TemplateError` where it cannot be compiled.

    `kept`: where texts are kept that take long to make; a place of its own by default.
    """

    def __init__(
        self, source: str | None, *, bos_token: str = "", eos_token: str = "", kept: KeptTexts | None = None
    ) -> None:
        try:
            sandbox = Sandbox(KeptTexts() if kept is None else kept)
            self._template = sandbox.compiled(FALLBACK_TEMPLATE if source is None else source)
        except (JinjaTemplateError, RecursionError) as problem:
            raise TemplateError(f"the model's chat template cannot be compiled: {problem}") from problem
        self._tokens = {"bos_token": bos_token, "eos_token": eos_token}
        self._no_tools: list[Mapping[str, Any]] | None = None
        self._in_parts = False
        self.abilities = self._probe()

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        today: date,
        tools: Sequence[Mapping[str, Any]] = (),
        variables: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        """The conversation as prompt text, open for the assistant's reply; `tools` as the template wants them.

        `variables`: what else the template may ask for.
        """
        try:
            return self._template.render(
                messages=list(map(_in_parts if self._in_parts else dict[str, Any], messages)),
                add_generation_prompt=True,
                tools=list(tools) or self._no_tools,
                documents=None,
                raise_exception=_raise,
                strftime_now=today.strftime,
                **self._tokens,
                **variables,
            )
        except (JinjaTemplateError, ArithmeticError, LookupError, TypeError, ValueError) as problem:
            raise TemplateError(f"the model's chat template refused the conversation: {problem}") from problem
        except RecursionError as problem:
            raise TemplateError("the model's chat template does not end") from problem

    def _probe(self) -> Abilities:
        user, reply = {"role": "user", "content": "uq1"}, {"role": "assistant", "content": "aq2"}
        system, again = {"role": "system", "content": "sq3"}, {"role": "user", "content": "uq4"}
        # Templates go through the tools without asking whether there are any, or through the parts of every content.
        for self._no_tools, self._in_parts in ((None, False), ([], False), (None, True), ([], True)):
            if self._says([user]):
                break
        else:
            raise TemplateError("the model's chat template cannot render a user message")
        calls, empty = self._calls(user)
        call = _probe_call("vq8", form=calls, empty=empty)
        other = _probe_call("vq9", form=calls, empty=empty, call_id="abcdefgh2")
        asked = {**call[0], "content": "aq6"}
        both = {**call[0], "tool_calls": [*call[0]["tool_calls"], *other[0]["tool_calls"]]}
        field = self._thought_field([user, *call], [user, reply])
        thought = {**asked, field or "": "tq3"}
        return Abilities(
            system=self._says([system, user]),
            late_system=self._says([user, reply, again, system]) and self._says([user, system, reply, again]),
            assistant_first=self._says([reply, user]),
            tools=all(text in self._try([user], tools=[_PROBE_TOOL]) for text in ("tq5", "dq6", "pq7")),
            calls=calls,
            several_calls=self._tells([user, both, call[1], other[1]], "uq1", "vq8", "vq9", "rq9", "rq9"),
            text_beside_calls=self._tells([user, asked, call[1], reply, again], "uq1", "aq6", "vq8", "rq9", "aq2"),
            text_before_calls=self._tells([user, {**reply}, *call, {**reply}, again], "uq1", "aq2", "vq8", "aq2"),
            user_behind_results=self._tells([user, *call, again], "uq1", "vq8", "rq9", "uq4"),
            empty_beside_calls=empty,
            thought_field=field,
            text_beside_thought=self._tells([user, thought, call[1]], "tq3", "aq6", variables=_THINKS),
            thinking_switch=self._try([user], variables=_THINKS) != self._try([user], variables=_THINKS_NOT),
            reply_gap=self._reply_gap(user, reply),
            around_thought=None if field is None else self._around_thought(user, {**reply, field: "tq3"}),
        )

    def _thought_field(self, *conversations: Sequence[Mapping[str, Any]]) -> str | None:
        """The first field that the template tells in any of the conversations, which have a reply at their second."""
        for field in _THOUGHT_FIELDS:
            for user, reply, *rest in conversations:
                if "tq3" in self._try([user, {**reply, field: "tq3"}, *rest], variables=_THINKS):
                    return field
        return None

    def _reply_gap(self, *asked: Mapping[str, Any]) -> str:
        open_, told = self._try(asked[:1]), self._try(asked)
        gap = told.removeprefix(open_).partition("aq2")[0] if told.startswith(open_) else ""
        return "" if gap.strip() else gap

    def _calls(self, user: Mapping[str, str]) -> tuple[ArgumentsForm | None, str | None]:
        """How arguments have to come, and what the text of a message without one has to be."""
        forms: tuple[ArgumentsForm, ...] = ("object", "text")
        for empty in ("", None):
            for form in forms:
                call = _probe_call("vq8", form=form, empty=empty)
                told = self._try([user, *call], tools=[_PROBE_TOOL])
                # JSON inside of JSON shows that the template wanted the object.
                if all(text in told for text in ("tq5", "pq7", "vq8", "rq9")) and '\\"' not in told:
                    return form, empty
        return None, ""

    def _around_thought(self, *asked: Mapping[str, Any]) -> tuple[str, str, str] | None:
        open_, told = self._try(asked[:1], variables=_THINKS), self._try(asked, variables=_THINKS)
        before, thought, behind = told.removeprefix(open_).partition("tq3")
        behind, text, _ = behind.partition("aq2")
        return (open_, before, behind) if told.startswith(open_) and thought and text else None

    def _try(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] = (),
        variables: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        try:
            return self.render(messages, today=_PROBE_DAY, tools=tools, variables=variables)
        except TemplateError:
            return ""

    def _says(self, messages: Sequence[Mapping[str, str]]) -> bool:
        return self._tells(messages, *(message["content"] for message in messages))

    def _tells(
        self, messages: Sequence[Mapping[str, Any]], *texts: str, variables: Mapping[str, Any] = MappingProxyType({})
    ) -> bool:
        """Whether the rendering has these texts, in this order."""
        told, at = self._try(messages, variables=variables), 0
        for text in texts:
            at = told.find(text, at)
            if at < 0:
                return False
            at += len(text)
        return True


def _probe_call(
    value: str, *, form: ArgumentsForm | None, empty: str | None, call_id: str = "abcdefgh1"
) -> list[Mapping[str, Any]]:
    arguments = f'{{"pq7": "{value}"}}' if form == "text" else {"pq7": value}
    call = {"type": "function", "id": call_id, "function": {"name": "tq5", "arguments": arguments}}
    return [
        {"role": "assistant", "content": empty, "tool_calls": [call]},
        {"role": "tool", "name": "tq5", "tool_call_id": call_id, "content": "rq9"},
    ]


def _in_parts(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message["content"]
    return {**message, "content": [{"type": "text", "text": content}] if isinstance(content, str) else content}


def _raise(message: str) -> NoReturn:
    raise JinjaTemplateError(message)
