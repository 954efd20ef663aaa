"""Keys that are made while the server runs: who is let in, and what each workspace sees."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from antiphon.config import StoreSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.service.files.files import Files
from antiphon.service.keys import FRESH, Keys, Wanted
from antiphon.stores.objects import Objects
from antiphon.stores.place import database_in
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.keys import SqlKeys
from antiphon.testing import Bridge, engine_app
from antiphon.testing.app import MODEL
from antiphon.testing.bridge import Answer
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy
from antiphon.testing.files import MemoryFiles
from tests.web.batches import SCRIPT, Client, request
from tests.web.files_app import FORM, form, part

MODELS = "/v1/models"
WRONG = (401, "authentication_error", "invalid x-api-key")


@dataclass
class App:
    """An app over a store, and the owner's hand on its keys."""

    bridge: Bridge
    keys: Keys
    clock: FixedClock

    async def key(self, name: str, **more: Any) -> str:
        """A new key."""
        return (await self.keys.add(Wanted(name, **more)))[1]

    async def ask(self, key: str | None, path: str = MODELS, method: str = "GET", **more: Any) -> Answer:
        """Ask with this key, once the server may know what has changed."""
        self.clock.time += FRESH
        headers = {"x-api-key": key}
        return await self.bridge.ask(
            method, path, more.pop("body", None), headers=headers, query="limit=1000", **more
        )

    async def status(self, key: str | None) -> int:
        """What the key is answered."""
        return (await self.ask(key)).status


@asynccontextmanager
async def app(folder: Path, script: str = SCRIPT, **options: Any) -> AsyncGenerator[App]:
    """An app whose files, batches and keys lie in a folder."""
    clock, dice = FixedClock(), CountingEntropy()
    database = await Database.open(database_in(folder))
    kept = Files.over(MemoryFiles(), Objects.open("memory://"), clock, dice)
    try:
        async with engine_app(
            ScriptedEngine(MODEL, script),
            clock=clock,
            kept_files=kept,
            stores=StoreSettings(data=str(folder)),
            drain_timeout=0.0,
            **options,
        ) as bridge:
            yield App(bridge, Keys(SqlKeys(database), clock, dice), clock)
    finally:
        await database.aclose()


def refused(answer: Answer) -> tuple[int, str, str]:
    """How a request was refused."""
    return answer.status, answer.json["error"]["type"], answer.json["error"]["message"]


@pytest.mark.promise("auth.made-keys")
@pytest.mark.promise("auth.ended-keys")
@pytest.mark.promise("auth.first-key-closes")
async def test_keys_come_and_go_while_the_server_runs(tmp_path: Path) -> None:
    async with app(tmp_path) as server:
        assert await server.status(None) == 200
        one, two = await server.key("one"), await server.key("two", lasting=3600.0)
        assert [await server.status(key) for key in (one, two)] == [200, 200]
        assert refused(await server.ask(None)) == (401, "authentication_error", "x-api-key header is required")
        assert refused(await server.ask("sk-ant-api03-guess")) == WRONG
        await server.keys.revoke("one")
        assert refused(await server.ask(one)) == WRONG
        server.clock.time += 3600.0
        assert refused(await server.ask(two)) == WRONG
        assert await server.status(None) == 401


async def test_a_key_as_a_bearer_token_counts_too(tmp_path: Path) -> None:
    async with app(tmp_path) as server:
        key = await server.key("one")
        answer = await server.bridge.ask("GET", MODELS, headers={"x-api-key": None, "authorization": f"Bearer {key}"})
        assert answer.status == 200


@pytest.mark.promise("auth.keys")
async def test_keys_of_the_settings_keep_their_workspace_beside_those_that_are_made(tmp_path: Path) -> None:
    async with app(tmp_path, api_keys=("set",)) as server:
        before = (await server.ask("set")).headers["anthropic-workspace-id"]
        joined, other = await server.key("joined", workspace=before), await server.key("other")
        said = [(await server.ask(key)).headers["anthropic-workspace-id"] for key in ("set", joined, other)]
        assert said[:2] == [before, before]
        assert said[2] != before


async def test_where_keys_are_required_nobody_is_let_in_before_there_is_one(tmp_path: Path) -> None:
    async with app(tmp_path, require_keys=True) as server:
        assert await server.status("any") == 401
        assert await server.status(await server.key("one")) == 200


@pytest.mark.promise("auth.models")
async def test_a_key_asks_for_the_models_that_it_may(tmp_path: Path) -> None:
    async with app(tmp_path) as server:
        key = await server.key("one", models=("claude-haiku-*", "claude-opus-4-8"))
        listed = [model["id"] for model in (await server.ask(key)).json["data"]]
        assert "claude-opus-4-8" in listed
        assert all(name.startswith("claude-haiku-") or name == "claude-opus-4-8" for name in listed)
        body = {"max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
        for path in ("/v1/messages", "/v1/messages/count_tokens"):
            asked = {key: value for key, value in body.items() if path == "/v1/messages" or key != "max_tokens"}
            denied = await server.ask(key, path, "POST", body={"model": "claude-opus-4-6", **asked})
            assert refused(denied) == (404, "not_found_error", "model: claude-opus-4-6")
            assert (await server.ask(key, path, "POST", body={"model": "claude-opus-4-8", **asked})).status == 200
        assert (await server.ask(key, "/v1/models/claude-opus-4-6")).status == 404
        batches = Client(server.bridge, {"x-api-key": key})
        batch = await batches.create(request("yes"), request("no", model="claude-opus-4-6"))
        results = await batches.results(batch)
        assert results["yes"]["type"] == "succeeded"
        assert results["no"]["error"]["error"]["message"] == "model: claude-opus-4-6"


@pytest.mark.promise("auth.admin-keys")
async def test_an_admin_key_is_no_key_for_messages(tmp_path: Path) -> None:
    async with app(tmp_path) as server:
        key = await server.key("boss", admin=True)
        assert key.startswith("sk-ant-admin01-")
        assert refused(await server.ask(key)) == WRONG


@pytest.mark.promise("auth.workspaces")
async def test_what_is_kept_is_seen_in_its_workspace_alone(tmp_path: Path) -> None:
    async with app(tmp_path) as server:
        one, two = await server.key("one", workspace="a"), await server.key("two", workspace="a")
        other = await server.key("other", workspace="b")
        upload = form(part("file", b"a", "a.txt", "text/plain"))
        made = await server.bridge.ask("POST", "/v1/files", upload, headers={**FORM, "x-api-key": one})
        batch = await Client(server.bridge, {"x-api-key": one}).create(request("r"))
        paths = (f"/v1/files/{made.json['id']}", f"/v1/messages/batches/{batch['id']}")
        for path in paths:
            assert [(await server.ask(key, path)).status for key in (one, two, other)] == [200, 200, 404]
        for path in ("/v1/files", "/v1/messages/batches"):
            assert [len((await server.ask(key, path)).json["data"]) for key in (two, other)] == [1, 0]
        await server.keys.revoke("one")
        assert (await server.ask(two, paths[0])).status == 200
