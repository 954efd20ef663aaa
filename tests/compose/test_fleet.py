"""Models come, go and change while the server answers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.compose.services import places_of
from antiphon.config import ModelSettings
from antiphon.testing.bridge import WAIT
from tests.compose.test_reloading import ASK, Server, server


def script(folder: Path, name: str, *words: str) -> str:
    """A model of its own, as the settings have it; it takes its time between words."""
    chunks = ", ".join(f'"{word} "' for word in words)
    (folder / f"{name}.toml").write_text(f"[[reply]]\nchunks = [{chunks}]\nchunk_delay_ms = 10\n")
    return f'[models.{name}]\nsource = "script:{folder / name}.toml"\n'


async def reloaded(running: Server, more: str = "", *, tables: str = "") -> None:
    """The file is read again, and all that follows from it is done."""
    running.reload(more, tables=tables)
    async with asyncio.timeout(WAIT):
        await running.settled()


async def said(running: Server, model: str) -> str | int:
    """What a model says, or the status of its error."""
    answer = await running.bridge.post({**ASK, "model": model})
    return answer.json["content"][0]["text"].strip() if answer.status == 200 else answer.status


async def listed(running: Server) -> list[str]:
    return [one["id"] for one in (await running.bridge.ask("GET", "/v1/models", query="limit=1000")).json["data"]]


async def text_of(chunks: AsyncIterator[bytes]) -> str:
    return b"".join([chunk async for chunk in chunks]).decode()


@pytest.mark.promise("reload.models-come")
async def test_a_new_model_is_listed_and_answers_once_it_is_loaded(tmp_path: Path) -> None:
    async with server(tmp_path) as running:
        assert (await said(running, "second"), "second" in await listed(running)) == (404, False)
        running.reload("", tables=script(tmp_path, "second", "I", "am", "new."))
        assert await said(running, "second") == 404
        async with asyncio.timeout(WAIT):
            await running.settled()
        assert await said(running, "second") == "I am new."
        assert "second" in await listed(running)
        assert (await running.bridge.ask("GET", "/health")).json["models"] == {"m": "ready", "second": "ready"}


@pytest.mark.promise("reload.models-go")
async def test_a_model_that_goes_is_not_found_and_ends_behind_its_last_stream(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    second = script(tmp_path, "second", *map(str, range(10)))
    async with server(tmp_path, tables=second) as running:
        body = {**ASK, "model": "second", "stream": True}
        async with running.bridge.open("POST", "/v1/messages", body) as stream:
            await stream.begin()
            running.reload("")
            async with asyncio.timeout(WAIT):
                while await said(running, "second") != 404:
                    pass
            assert "second" not in await listed(running)
            assert "has ended" not in caplog.text
            text = await text_of(stream.chunks())
            assert '"text":"9 "' in text
            assert "message_stop" in text
        async with asyncio.timeout(WAIT):
            await running.settled()
        assert "model second, which is served no more, has ended" in caplog.text
        assert await said(running, "m") == "a b c d"


@pytest.mark.promise("reload.models-change")
async def test_a_model_that_changes_serves_until_the_other_one_is_there(tmp_path: Path) -> None:
    async with server(tmp_path, tables=script(tmp_path, "second", *map(str, range(10)))) as running:
        body = {**ASK, "model": "second", "stream": True}
        async with running.bridge.open("POST", "/v1/messages", body) as stream:
            await stream.begin()
            changed = script(tmp_path, "other", "I", "am", "another.").replace("[models.other]", "[models.second]")
            running.reload("", tables=changed)
            found = {await said(running, "second") for _ in range(20)}
            assert '"text":"9 "' in await text_of(stream.chunks())
        assert "I am another." in found
        assert found <= {"I am another.", "0 1 2 3 4 5 6 7 8 9"}


@pytest.mark.promise("reload.models-fail")
@pytest.mark.parametrize("more", ["source = 'script:nowhere.toml'", "source = 'script:{0}/broken.toml'"])
async def test_a_model_that_cannot_be_loaded_leaves_the_rest_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, more: str
) -> None:
    (tmp_path / "broken.toml").write_text("[[reply]]\nnothing = 1\n")
    good = script(tmp_path, "good", "Good.")
    async with server(tmp_path, 'api_keys = ["old"]', tables=good) as running:
        fine, broken = script(tmp_path, "fine", "Fine."), f"[models.bad]\n{more.format(tmp_path)}\n"
        await reloaded(running, 'api_keys = ["new"]', tables=fine + broken)
        assert "the models stay as they were: model bad: " in caplog.text
        assert [await running.status(key) for key in ("old", "new")] == [401, 200]
        answers = [
            await running.bridge.post({**ASK, "model": name}, headers={"x-api-key": "new"})
            for name in ("good", "fine", "bad")
        ]
        assert [answer.status for answer in answers] == [200, 404, 404]
        await reloaded(running, tables=good + fine)
        assert await said(running, "fine") == "Fine."


@pytest.mark.promise("reload.models-names")
async def test_the_default_model_routes_aliases_and_profiles_are_others_too(tmp_path: Path) -> None:
    second = script(tmp_path, "second", "Second.")
    async with server(tmp_path, tables=second) as running:
        names: dict[str, Any] = {"claude-opus-4-8": "a b c d", "claude-haiku-4-5": "a b c d", "mine": 404, "new": 404}
        assert {name: await said(running, name) for name in names} == names
        more = '[routes]\nclaude-opus-4-8 = "second"\n[aliases]\nmine = "second"\n'
        more += '[profiles.new]\nextends = "claude-haiku-4-5-20251001"\n'
        await reloaded(running, tables=second + more)
        names |= {"claude-opus-4-8": "Second.", "mine": "Second.", "new": "a b c d"}
        assert {name: await said(running, name) for name in names} == names
        running.base = running.base.replace('model = "m"', 'model = "second"')
        await reloaded(running, tables=second)
        names |= {"claude-haiku-4-5": "Second.", "mine": 404, "new": 404}
        assert {name: await said(running, name) for name in names} == names


@pytest.mark.promise("reload.models-helpers")
@pytest.mark.parametrize(("guard", "thinking"), [("[guard]\nmodel = 'second'\n", ""), ("", "summarizer = 'second'")])
async def test_a_model_that_works_for_others_is_another_one_only_from_the_next_start_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, guard: str, thinking: str
) -> None:
    second = guard + script(tmp_path, "second", "safe")
    async with server(tmp_path, tables=second, thinking=thinking) as running:
        await reloaded(running, tables=second.replace("second.toml", "script.toml"))
        assert "the models stay as they were: second " in caplog.text
        assert "from the next start on" in caplog.text
        assert await said(running, "second") == "safe"


@pytest.mark.promise("reload.models-helpers")
async def test_who_works_for_others_is_the_one_of_the_start_though_the_file_has_named_another_since(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    second, third = script(tmp_path, "second", "Second."), script(tmp_path, "third", "Third.")
    async with server(tmp_path, tables=second, thinking="summarizer = 'second'") as running:
        running.base = running.base.replace("'second'", "'third'")
        await reloaded(running, tables=second + third)
        assert await said(running, "third") == "Third."
        await reloaded(running, tables=third)
        assert "the models stay as they were: second retells thoughts" in caplog.text
        assert await said(running, "second") == "Second."


@pytest.mark.promise("reload.models-come")
async def test_the_last_of_several_files_counts(tmp_path: Path) -> None:
    one, two = script(tmp_path, "one", "One."), script(tmp_path, "two", "Two.")
    async with server(tmp_path) as running:
        running.reload("", tables=one)
        running.reload("", tables=one + two)
        await reloaded(running, tables=two)
        assert [await said(running, name) for name in ("one", "two")] == [404, "Two."]


def test_batches_have_the_places_of_the_smallest_model_that_runs_here() -> None:
    models = [ModelSettings("a", "builtin", parallel=4), ModelSettings("b", "x.gguf", parallel=2)]
    assert places_of(models) == 2
    assert places_of([ModelSettings("c", "script:x.toml")]) is None
