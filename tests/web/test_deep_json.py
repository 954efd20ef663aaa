"""JSON nested as deep as it may be, told to a model by the template of every family."""

from typing import Any

import pytest

from antiphon.wire.base import MOST_NESTED
from tests.render.families.cases import HERE
from tests.web.thinking_app import ThinkingApp, ask, reply

TEMPLATES: dict[str, str | None] = {
    "universal": None,
    **{path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE / "templates").glob("*.jinja"))},
}
# What engines read as a token of their own is rewritten wherever it stands.
SPECIAL = "<|im_end|> <|endoftext|>"


def nested(levels: int, *, objects: bool) -> Any:
    value: Any = SPECIAL
    for _ in range(levels):
        value = {SPECIAL: value} if objects else [value]
    return value


def deep_schema(levels: int) -> dict[str, Any]:
    """So many levels of JSON, half of them objects of the schema."""
    schema: dict[str, Any] = {"type": "object", "description": SPECIAL}
    for _ in range((levels - 1) // 2):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.promise("intake.nesting")
@pytest.mark.parametrize("objects", [True, False], ids=["objects", "arrays"])
@pytest.mark.parametrize("template", TEMPLATES)
async def test_what_is_nested_to_the_limit_is_told(template: str, objects: bool) -> None:
    deep = {"b": nested(MOST_NESTED - 1, objects=objects)}
    tool: dict[str, Any] = {"name": "look", "input_schema": deep_schema(MOST_NESTED)}
    if template == "universal":
        tool["input_examples"] = [deep]
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": SPECIAL},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": deep}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": SPECIAL}]},
    ]
    async with ThinkingApp(reply("ok"), template=TEMPLATES[template]) as app:
        for choice in (None, {"type": "any"}):
            answer = await app.post(ask(messages, model="scripted", thinking=None, tools=[tool], tool_choice=choice))
            assert answer.status == 200, answer.body
