"""The page on fallbacks: its settings are settings, and its request comes to what it shows."""

import json
import re
import tomllib

import pytest

from antiphon.config import parse_settings
from antiphon.testing import scripted_app
from tests.arch.tree import ROOT

PAGE = (ROOT / "docs" / "fallbacks.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.promise("fallbacks.before-output")
async def test_the_pages_settings_answer_the_pages_request_as_the_page_shows() -> None:
    (toml,), (shown,) = blocks("toml"), blocks("json")
    parsed = parse_settings({}, {}, tomllib.loads(toml))
    request = {
        "model": "claude-opus-4-8",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "What is project lynx?"}],
    }
    for fallbacks in ([{"model": "claude-haiku-4-5"}], "default"):
        async with scripted_app('[[reply]]\ntext = "…"\n', guard=parsed.guard, fallbacks=parsed.fallbacks) as bridge:
            headers = {"anthropic-beta": "server-side-fallback-2026-07-01"}
            reply = (await bridge.post({**request, "fallbacks": fallbacks}, headers=headers)).json
        told = json.loads(shown)
        assert {name: reply[name] for name in told} == told
