"""What engines are told of whose conversation they work on."""

from typing import Any

import pytest

from antiphon.errors import EngineFull
from antiphon.testing import Bridge, engine_app
from tests.service.engines import PlannedEngine
from tests.service.media.doubles import intake

KEYS = ("key-one", "key-two")
SESSION = "x-claude-code-session-id"


async def ask(
    app: Bridge, *texts: str, key: str = KEYS[0], headers: dict[str, str] | None = None, **more: Any
) -> Any:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": said} for number, said in enumerate(texts)]
    body = {"model": "planned", "max_tokens": 10, "messages": messages, **more}
    return await app.post(body, headers={"x-api-key": key, **(headers or {})})


@pytest.mark.promise("pool.router")
async def test_the_turns_of_a_conversation_are_known_as_such_and_tenants_are_told_apart():
    engine = PlannedEngine([["Yes."]] * 6)
    async with engine_app(engine, api_keys=KEYS, media=intake()) as app:
        await ask(app, "Hello")
        await ask(app, "Hello", "Yes.", "Really?")
        await ask(app, "Good morning")
        await ask(app, "Hello", key=KEYS[1])
        await ask(app, "A summary", headers={SESSION: "one"})
        answered = await ask(app, "Hello", headers={SESSION: "one"})
    assert answered.status == 200, answered.body
    first, second, other, foreign, session, later = [work.conversation for work in engine.asked]
    assert first == second
    assert session == later
    assert len({first, other, foreign, session}) == 4
    tenants = [work.tenant for work in engine.asked]
    assert len(set(tenants)) == 2
    assert tenants[3] not in (tenants[0], "")
    told = repr([(work.conversation, work.tenant) for work in engine.asked])
    assert not any(key in told for key in KEYS)


@pytest.mark.promise("pool.full")
async def test_a_full_queue_is_an_overload_with_the_time_to_come_back():
    engine = PlannedEngine([[]], fails={0: EngineFull("256 requests wait already", retry_after=6.2)})
    async with engine_app(engine, media=intake()) as app:
        answer = await ask(app, "Hello")
    assert (answer.status, answer.json["error"]["type"]) == (529, "overloaded_error")
    assert answer.headers["retry-after"] == "7"
