"""The app that applications test against: its documentation runs, and what it does can be foreseen."""

import re
from typing import Any

import pytest

from antiphon.engines.scripted import ScriptedEngine, ScriptError
from antiphon.ports.server_tools import ServerCall, ServerResult
from antiphon.testing import FixedClock, engine_app, scripted_app
from tests.arch.tree import ROOT
from tests.service.server_tools import ScriptedTool, finds
from tests.web.searching_app import SEARCH, says, search

SCRIPT = '[[reply]]\ntext = "Yes."\nthinking = "Hm."\n'
REQUEST: dict[str, Any] = {
    "model": "claude-opus-4-5",
    "max_tokens": 2000,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "messages": [{"role": "user", "content": "Well?"}],
}
PLAIN = {key: value for key, value in REQUEST.items() if key != "thinking"}


@pytest.mark.promise("script.in-process")
async def test_the_example_of_the_documentation_passes() -> None:
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    tests = [test for name, test in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        await test()


async def test_two_apps_made_alike_answer_alike_to_the_byte() -> None:
    bodies: list[bytes] = []
    for _ in range(2):
        async with scripted_app(SCRIPT) as bridge:
            bodies.append((await bridge.post({**REQUEST, "stream": True})).body)
    assert b"signature_delta" in bodies[0]
    assert bodies[0] == bodies[1]


async def test_what_one_app_sealed_opens_in_another() -> None:
    async with scripted_app(SCRIPT) as bridge:
        said = (await bridge.post(REQUEST)).json["content"]
    again = [*REQUEST["messages"], {"role": "assistant", "content": said}, {"role": "user", "content": "Sure?"}]
    async with scripted_app(SCRIPT) as bridge:
        assert (await bridge.post({**REQUEST, "messages": again})).status == 200


async def test_settings_hold_as_in_a_server() -> None:
    async with scripted_app(SCRIPT, api_keys=("secret",)) as bridge:
        assert (await bridge.post(REQUEST)).status == 401
        assert (await bridge.post(REQUEST, headers={"x-api-key": "secret"})).status == 200


async def test_a_mistake_in_the_script_is_named_before_anything_runs() -> None:
    with pytest.raises(ScriptError, match="reply 1"):
        async with scripted_app("[[reply]]\nfinish = 'end'\n"):
            pytest.fail("the app has started")


async def test_each_engine_answers_under_its_id_and_the_first_for_all_other_names() -> None:
    engines = ScriptedEngine("one", says("One.")), ScriptedEngine("two", says("Two."))
    async with engine_app(*engines) as bridge:
        told = {
            name: (await bridge.post({**PLAIN, "model": name})).json["content"][0]["text"]
            for name in ("one", "two", "claude-opus-4-5")
        }
    assert told == {"one": "One.", "two": "Two.", "claude-opus-4-5": "One."}


async def test_engines_are_closed_behind_the_block() -> None:
    engine = ScriptedEngine("one", SCRIPT)
    async with engine_app(engine):
        assert (await engine.health()).ready
    assert not (await engine.health()).ready


async def test_tools_of_ones_own_are_run_and_the_clock_is_the_tests() -> None:
    clock = FixedClock(0.0)

    async def takes_long(call: ServerCall) -> ServerResult:
        clock.time += 1_000_000
        return await finds(call)

    engine = ScriptedEngine("one", says(search("cats")))
    async with engine_app(engine, clock=clock, runs=[ScriptedTool(takes_long)]) as bridge:
        assert (await bridge.post({**PLAIN, "tools": [SEARCH]})).json["stop_reason"] == "pause_turn"
