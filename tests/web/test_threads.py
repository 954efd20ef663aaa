"""Message threads over HTTP: what a client sees of conversations that the server keeps."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from antiphon.config import OFF, ThreadSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.errors import EngineDied
from antiphon.ports.engine import Done, EngineOutput, Generation
from antiphon.ports.threads import Claim, StoreGone, Unclaimed
from antiphon.testing import Bridge, FixedClock, engine_app
from tests.service.media.doubles import intake
from tests.web.thinking_app import ThinkingApp, ask, reply
from tests.web.threads import (
    CONTINUED,
    CREATE,
    IN_FLIGHT,
    MISMATCH,
    NOT_FOUND,
    THREADS,
    UNSUPPORTED,
    Json,
    code,
    go_on,
    in_a_thread,
    in_full,
    said,
    user,
)

SCRIPT = reply("Four.", 'match = "2 \\\\+ 2"') + reply("Six.", 'match = "plus two"') + reply("Something else.")
TOOL: Json = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
FIRST = ask(thinking=None, system="Be brief.", tools=[TOOL])
MORE = user("And plus two?")


def app(script: str = SCRIPT, **options: Any) -> ThinkingApp:
    return ThinkingApp(script, **options)


@pytest.mark.promise("threads.as-if-whole", "threads.usage")
async def test_a_continued_request_is_told_as_if_all_had_been_sent_and_is_charged_for_all_of_it() -> None:
    turns = [[MORE], [user([{"type": "text", "text": "Thanks."}]), user("Is that all?")]]
    async with app() as one:
        whole = await in_full(one, FIRST, turns)
    async with app() as other:
        threaded = await in_a_thread(other, FIRST, turns)
    assert other.prompts == one.prompts
    assert threaded == whole
    assert [message["content"][0]["text"] for message in threaded] == ["Four.", "Six.", "Something else."]
    assert [message["usage"]["input_tokens"] for message in threaded] == [
        len(work.prompt.tokens) for work in other.engines["scripted"].asked
    ]


@pytest.mark.promise("threads.as-if-whole")
async def test_a_thread_goes_on_from_streams_too() -> None:
    async with app() as served:
        first = (await served.post({**FIRST, **CREATE, "stream": True}, THREADS)).events[0]["message"]
        second = await served.post(go_on(first, FIRST, MORE, stream=True), THREADS)
        third = await served.reply(go_on(second.events[0]["message"], FIRST, user("So?")), THREADS)
        last = ask([*FIRST["messages"], said(_text("Four.")), MORE, said(_text("Six.")), user("So?")])
        assert (await served.count({**FIRST, "messages": last["messages"]}))["input_tokens"] == (
            third["usage"]["input_tokens"]
        )


def _text(text: str) -> Json:
    return {"content": [{"type": "text", "text": text}]}


@pytest.mark.promise("threads.as-if-whole")
async def test_what_may_change_from_turn_to_turn_does() -> None:
    async with app() as served:
        first = await served.reply({**FIRST, **CREATE}, THREADS)
        changed = go_on(first, FIRST, MORE, model="claude-sonnet-4-5-20250929", max_tokens=1, stop_sequences=["zz"])
        second = await served.reply(
            {
                **changed,
                "thinking": {"type": "disabled"},
                "tool_choice": {"type": "none"},
                "metadata": {"user_id": "u"},
            },
            THREADS,
        )
    assert (second["model"], second["stop_reason"]) == ("claude-sonnet-4-5-20250929", "max_tokens")


WRONG: dict[str, tuple[Json, str]] = {
    "a shape": ({"messages": [user([{"type": "text"}])]}, "messages.2.content.0.text.text: Field required"),
    "a role": (
        {"messages": [user("So?"), {"role": "robot", "content": "x"}]},
        'messages: Unexpected role "robot". Allowed roles are "user" or "assistant"',
    ),
    "an empty message": (
        {"messages": [user("So?"), user([])]},
        "messages.3: user messages must have non-empty content",
    ),
    "a setting": ({"max_tokens": -1}, "max_tokens: must be greater than or equal to 0"),
    "no messages": ({"messages": None}, "messages: Input should be a valid array"),
    "a result without a call": (
        {"messages": [user([{"type": "tool_result", "tool_use_id": "toolu_x"}])]},
        "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_x. Each `tool_result` block "
        "must have a corresponding `tool_use` block in the previous message.",
    ),
}


@pytest.mark.promise("threads.as-if-whole")
@pytest.mark.parametrize("case", WRONG)
async def test_errors_are_those_of_the_whole_conversation(case: str) -> None:
    wrong, message = WRONG[case]
    async with app() as served:
        first = await served.reply({**FIRST, **CREATE}, THREADS)
        assert await served.refusal({**go_on(first, FIRST, MORE), **wrong}, THREADS) == message
        new = wrong.get("messages", [MORE])
        whole = {**FIRST, **wrong, "messages": new and [*FIRST["messages"], said(first), *new]}
        assert await served.refusal(whole) == message
        # What was wrong is put right, and the thread goes on.
        assert (await served.reply(go_on(first, FIRST, MORE), THREADS))["content"][0]["text"] == "Six."


@pytest.mark.promise("threads.as-if-whole")
async def test_a_call_that_was_not_answered_is_named_where_it_stands_in_the_conversation() -> None:
    calling = '<function_calls>\\n<invoke name=\\"look\\">\\n</invoke>\\n</function_calls>'
    async with app(reply(calling)) as served:
        first = await served.reply({**FIRST, **CREATE}, THREADS)
        id_ = first["content"][0]["id"]
        assert await served.refusal(go_on(first, FIRST, MORE), THREADS) == (
            f"messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: {id_}. Each `tool_use` "
            "block must have a corresponding `tool_result` block in the next message."
        )


@pytest.mark.promise("threads.not-found", "threads.restart")
async def test_an_unknown_id_is_a_404_with_the_code_and_the_words_that_make_clients_replay() -> None:
    async with app() as served:
        answer = await served.post(go_on({"id": "msg_unknown"}, FIRST, MORE), THREADS)
    assert code(answer) == NOT_FOUND
    assert answer.json["error"]["type"] == "not_found_error"
    assert answer.json["error"]["message"] == (
        "No thread state was found for the requested `previous_message_id`. Replay the full conversation with thread: "
        '{"type": "create"} to start a new Thread.'
    )


@pytest.mark.promise("threads.not-found")
async def test_what_is_wrong_with_a_request_is_told_before_its_thread_is_looked_for() -> None:
    async with app() as served:
        wrong = {**go_on({"id": "msg_unknown"}, FIRST, MORE), "max_tokens": "many"}
        assert await served.refusal(wrong, THREADS) == "max_tokens: Input should be a valid integer"


@pytest.mark.promise("threads.never-shortened")
async def test_a_reply_without_a_thread_is_not_kept() -> None:
    async with app() as served:
        first = await served.reply(FIRST)
        assert code(await served.post(go_on(first, FIRST, MORE), THREADS)) == NOT_FOUND


@pytest.mark.promise("threads.once")
async def test_a_reply_is_continued_once_and_replayed_as_often_as_one_likes() -> None:
    async with app() as served:
        first = await served.reply({**FIRST, **CREATE}, THREADS)
        second = await served.reply(go_on(first, FIRST, MORE), THREADS)
        again = await served.post(go_on(first, FIRST, MORE), THREADS)
        assert code(again) == CONTINUED
        assert "already been continued" in again.json["error"]["message"]
        await served.reply(go_on(second, FIRST, user("So?")), THREADS)
        replayed = {**FIRST, "messages": [*FIRST["messages"], said(first), MORE], **CREATE}
        for _ in range(2):
            assert (await served.reply(replayed, THREADS))["content"] == second["content"]


class MoodyEngine(ScriptedEngine):
    """Hangs behind its first words where the user's last one is `Hang.`, and fails instead of ending at `Break.`"""

    def __init__(self) -> None:
        super().__init__("scripted", SCRIPT)
        self.hangs = asyncio.Event()
        self.prompts: list[str] = []

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """The words, and what the last one asks for."""
        self.prompts.append(work.prompt.text)
        mood = max(("Go.", "Hang.", "Break."), key=work.prompt.text.rfind)
        async for output in super().generate(work):
            if mood == "Break." and isinstance(output, Done):
                raise EngineDied("test")
            yield output
            await asyncio.sleep(0)
            if mood == "Hang.":
                self.hangs.set()
                await asyncio.Event().wait()


@pytest.mark.promise("threads.once", "threads.given-back")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_continuation_under_way_is_in_flight_and_a_cancelled_one_gives_its_thread_back(stream: bool) -> None:
    engine = MoodyEngine()
    async with engine_app(engine, media=intake(), commit_after=0.0) as bridge, asyncio.timeout(20):
        first = (await post(bridge, {**FIRST, **CREATE})).json
        slow = go_on(first, FIRST, user("Hang."), stream=stream)
        async with bridge.open("POST", "/v1/messages", slow, headers={"anthropic-beta": THREADS}) as exchange:
            await engine.hangs.wait()
            assert code(await post(bridge, go_on(first, FIRST, user("Go.")))) == IN_FLIGHT
            await exchange.disconnect()
        other = await post(bridge, go_on(first, FIRST, user("Go.")))
        assert other.json["content"][0]["text"] == "Something else."
        assert "Hang." not in engine.prompts[-1]


@pytest.mark.promise("threads.given-back")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_broken_reply_gives_its_thread_back_and_is_not_kept(stream: bool) -> None:
    async with engine_app(MoodyEngine(), media=intake(), commit_after=0.0) as bridge:
        first = (await post(bridge, {**FIRST, **CREATE})).json
        answer = await post(bridge, go_on(first, FIRST, user("Break."), stream=stream))
        if stream:
            assert answer.events[-1]["type"] == "error"
            broken = answer.events[0]["message"]
            assert code(await post(bridge, go_on(broken, FIRST, user("Go.")))) == NOT_FOUND
        else:
            assert answer.status == 500
        mended = await post(bridge, go_on(first, FIRST, user("Go.")))
        assert mended.json["content"][0]["text"] == "Something else."


@pytest.mark.promise("threads.given-back")
async def test_a_reply_that_broke_in_a_new_thread_is_not_kept() -> None:
    async with engine_app(MoodyEngine(), media=intake(), commit_after=0.0) as bridge:
        broken = await post(bridge, {**FIRST, "messages": [user("Break.")], **CREATE, "stream": True})
        opened = broken.events[0]["message"]
        assert code(await post(bridge, go_on(opened, FIRST, user("Go.")))) == NOT_FOUND


async def post(bridge: Bridge, request: Json, **headers: str) -> Any:
    return await bridge.post(request, headers={"anthropic-beta": THREADS, **headers})


@pytest.mark.promise("threads.fixed-fields")
async def test_what_is_said_again_as_it_was_is_accepted_and_another_is_refused_by_name() -> None:
    effort = {"output_config": {"effort": "low"}, "model": "claude-opus-4-8"}
    asked = {**FIRST, **effort}
    async with app() as served:
        first = await served.reply({**asked, **CREATE}, THREADS)
        other = {**go_on(first, asked, MORE), "system": "Be long.", "tools": [], "output_config": {"effort": "high"}}
        answer = await served.post(other, THREADS)
        assert code(answer) == MISMATCH
        assert "differing field(s): system, tools, output_config." in answer.json["error"]["message"]
        same = {**go_on(first, asked, MORE), "system": [{"type": "text", "text": "Be brief."}], "tools": [TOOL]}
        assert (await served.reply(same, THREADS))["content"][0]["text"] == "Six."


@pytest.mark.promise("threads.fixed-fields")
async def test_a_system_prompt_of_no_shape_is_told_so_before_it_is_told_to_differ() -> None:
    async with app() as served:
        first = await served.reply({**FIRST, **CREATE}, THREADS)
        wrong = {**go_on(first, FIRST, MORE), "system": 5}
        assert await served.refusal(wrong, THREADS) == "system: Input should be a valid array"


MARK: Json = {"cache_control": {"type": "ephemeral"}}


@pytest.mark.promise("threads.markers")
async def test_every_turn_of_a_long_thread_may_mark_its_own_message() -> None:
    asked = ask(thinking=None, system=[{"type": "text", "text": "Be brief.", **MARK}])
    async with app() as served:
        last = await served.reply(
            {**asked, "messages": [user([{"type": "text", "text": "0", **MARK}])], **CREATE}, THREADS
        )
        for n in range(6):
            marked = user([{"type": "text", "text": str(n), **MARK}])
            last = await served.reply(go_on(last, asked, marked), THREADS)
        many = user([{"type": "text", "text": str(n), **MARK} for n in range(3)])
        answer = await served.post(go_on(last, asked, many), THREADS)
        assert code(answer) == UNSUPPORTED
        assert answer.json["error"]["details"]["unsupported"] == ["cache_control"]


@pytest.mark.promise("threads.header")
@pytest.mark.parametrize("thread", [{"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}])
async def test_without_its_header_a_thread_is_an_unknown_field(thread: Json) -> None:
    async with app() as served:
        assert await served.refusal({**FIRST, "thread": thread}) == "thread: Extra inputs are not permitted"


@pytest.mark.promise("threads.not-found")
async def test_another_key_s_thread_is_unknown() -> None:
    engine = ScriptedEngine("scripted", SCRIPT)
    async with engine_app(engine, media=intake(), api_keys=("one", "two")) as bridge:
        first = (await post(bridge, {**FIRST, **CREATE}, **{"x-api-key": "one"})).json
        request = go_on(first, FIRST, MORE)
        assert code(await post(bridge, request, **{"x-api-key": "two"})) == NOT_FOUND
        assert (await post(bridge, request, **{"x-api-key": "one"})).status == 200


@pytest.mark.promise("threads.lifetime")
async def test_a_thread_lives_for_five_minutes_from_its_last_request() -> None:
    clock = FixedClock()
    async with app(clock=clock) as served:
        last = await served.reply({**FIRST, **CREATE}, THREADS)
        for _ in range(3):
            clock.time += 299
            last = await served.reply(go_on(last, FIRST, MORE), THREADS)
        clock.time += 300
        assert code(await served.post(go_on(last, FIRST, MORE), THREADS)) == NOT_FOUND


@pytest.mark.promise("threads.lifetime", "threads.never-shortened")
async def test_where_there_is_no_room_the_oldest_thread_is_a_404() -> None:
    large = {**FIRST, "messages": [user("word " * 200)], **CREATE}
    async with app(message_threads=ThreadSettings(memory=5000)) as served:
        replies = [await served.reply(large, THREADS) for _ in range(5)]
        last = await served.post(go_on(replies[-1], FIRST, MORE), THREADS)
        oldest = await served.post(go_on(replies[0], FIRST, MORE), THREADS)
    assert last.status == 200
    assert code(oldest) == NOT_FOUND


@pytest.mark.promise("threads.never-shortened")
async def test_a_conversation_that_no_request_could_hold_is_not_kept() -> None:
    async with app(max_body=1024) as served:
        first = await served.reply({**FIRST, **CREATE}, THREADS)
        long = user("word " * 100)
        second = await served.reply(go_on(first, FIRST, long), THREADS)
        third = await served.post(go_on(second, FIRST, long), THREADS)
        assert third.status == 200
        assert code(await served.post(go_on(third.json, FIRST, MORE), THREADS)) == NOT_FOUND
        assert code(await served.post(go_on(second, FIRST, MORE), THREADS)) == CONTINUED


@pytest.mark.promise("threads.typed-refusal")
@pytest.mark.parametrize("thread", [{"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}])
async def test_where_threads_are_off_the_code_makes_clients_do_without(thread: Json) -> None:
    async with app(message_threads=ThreadSettings(store=OFF)) as served:
        assert code(await served.post({**FIRST, "thread": thread}, THREADS)) == UNSUPPORTED
        assert (await served.post({**FIRST, "thread": None}, THREADS)).status == 200


class NoStore:
    """A store that is gone."""

    async def check(self) -> None:
        raise StoreGone("test")

    async def claim(self, tenant: str, id_: str) -> Claim | Unclaimed:
        raise StoreGone("test")

    async def release(self, claim: Claim) -> None:
        raise StoreGone("test")

    async def keep(self, tenant: str, id_: str, data: bytes | None, claim: Claim | None) -> None:
        raise StoreGone("test")

    async def aclose(self) -> None: ...


@pytest.mark.promise("threads.store-gone")
async def test_without_its_store_the_server_answers_and_asks_for_the_whole_conversation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with engine_app(ScriptedEngine("scripted", SCRIPT), media=intake(), threads=NoStore()) as bridge:
        first = await post(bridge, {**FIRST, **CREATE})
        assert first.json["content"][0]["text"] == "Four."
        assert code(await post(bridge, go_on(first.json, FIRST, MORE))) == NOT_FOUND
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "threads: a conversation is not kept, its client will have to send it again: test",
        "threads: a kept conversation cannot be had, its client will have to send it: test",
    ]


async def test_an_empty_reply_is_gone_on_from() -> None:
    async with app() as served:
        first = await served.reply({**FIRST, "max_tokens": 0, **CREATE}, THREADS)
        assert first["content"] == []
        second = await served.reply(go_on(first, FIRST, user("2 + 2?")), THREADS)
        assert second["content"][0]["text"] == "Four."
