"""What may be spent in a month, over the whole app."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from antiphon.config import LimitRule, Price
from antiphon.service.usage.spending import FRESH
from antiphon.stores.place import database_in
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.usage import SqlUsage
from antiphon.testing.bridge import WAIT
from tests.stores.test_usage import record
from tests.web.batches import Client, request
from tests.web.test_keys import app
from tests.web.usage_app import HAIKU, SCRIPT, body

PRICES: dict[str, Any] = {"prices": (Price("*", 0.0, 1_000_000.0),)}
"""A dollar for each token that is written; replies have some more than four."""

REFUSED = "You have reached your specified API usage limits. You will regain access on 2026-03-01 at 00:00 UTC."


@pytest.mark.promise("limits.spent")
async def test_who_has_spent_enough_is_refused_until_the_next_month(tmp_path: Path) -> None:
    rule = LimitRule("all", dollars_per_month=11.0)
    async with app(tmp_path, SCRIPT, limits=(rule,), **PRICES) as server:
        for _ in range(3):
            answer = await server.bridge.post(body())
            assert answer.json["usage"]["output_tokens"] in (4, 5)
        refused = await server.bridge.post(body())
        assert (refused.status, refused.json["error"]) == (
            400,
            {"type": "invalid_request_error", "message": REFUSED},
        )
        assert not [name for name in refused.headers if "ratelimit" in name or name == "retry-after"]
        server.clock.time += 60.0
        batches = Client(server.bridge)
        lines = await batches.results(await batches.create(request("a")))
        assert lines["a"]["error"]["error"]["message"] == REFUSED
        server.clock.time += 28 * 86_400.0
        assert (await server.bridge.post(body())).status == 200


@pytest.mark.promise("limits.spent")
async def test_workspaces_keys_and_models_spend_for_themselves(tmp_path: Path) -> None:
    rules = (
        LimitRule("space", per="workspace", models=("claude-opus-*",), dollars_per_month=11.0),
        LimitRule("one", per="key", dollars_per_month=16.0),
    )
    async with app(tmp_path, SCRIPT, limits=rules, **PRICES) as server:
        one, two = await server.key("one", workspace="a"), await server.key("two", workspace="a")
        other = await server.key("other", workspace="b")
        await server.ask(one)

        async def said(key: str, model: str | None = None) -> str:
            answer = await server.bridge.post(
                body(**({} if model is None else {"model": model})), headers={"x-api-key": key}
            )
            return "fine" if answer.status == 200 else answer.json["error"]["message"].partition(" You")[0]

        assert [await said(key) for key in (one, two, one)] == ["fine", "fine", "fine"]
        assert await said(two) == "You have reached your specified workspace API usage limits."
        assert [await said(other), await said(two, HAIKU)] == ["fine", "fine"]
        assert [await said(one, HAIKU), await said(one, HAIKU)] == ["fine", "fine"]
        assert await said(one, HAIKU) == "You have reached your specified API usage limits."
        assert await said(two, HAIKU) == "fine"


@pytest.mark.promise("limits.spent")
async def test_what_is_spent_at_another_server_counts_within_seconds(tmp_path: Path) -> None:
    limits = (LimitRule("all", dollars_per_month=1000.0),)
    async with app(tmp_path, SCRIPT, limits=limits, **PRICES) as server:
        assert (await server.bridge.post(body())).status == 200
        database = await Database.open(database_in(tmp_path))
        await SqlUsage(database).add([record(1, round(server.clock.time * 1e6), 2000)])
        await database.aclose()
        statuses: list[int] = []
        async with asyncio.timeout(WAIT):
            # It is looked up beside the requests.
            while 400 not in statuses:
                server.clock.time += FRESH
                statuses.append((await server.bridge.post(body(max_tokens=1))).status)
        assert len(statuses) < 900  # what was spent here is not enough


@pytest.mark.promise("limits.spent")
async def test_a_month_is_of_utc_and_a_year_has_twelve(tmp_path: Path) -> None:
    rule = LimitRule("all", dollars_per_month=1.0)
    async with app(tmp_path, SCRIPT, limits=(rule,), **PRICES) as server:
        server.clock.time = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
        assert (await server.bridge.post(body())).status == 200
        refused = await server.bridge.post(body())
        assert refused.json["error"]["message"].endswith("You will regain access on 2027-01-01 at 00:00 UTC.")
        server.clock.time += 1.0
        assert (await server.bridge.post(body())).status == 200
