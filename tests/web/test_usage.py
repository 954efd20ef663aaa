"""What requests came to, over the whole app: reports say what clients were told."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from antiphon.config import LimitRule, OtherPrices, Price, UsageSettings
from antiphon.ports.stores import StoreUnavailable
from antiphon.ports.usage import Tokens
from antiphon.stores.sql.usage import SqlUsage
from antiphon.testing.bridge import Answer, parse_events
from antiphon.wire.usage import CostReport, UsageReport
from tests.service.server_tools import ScriptedTool
from tests.web.batches import Client, request
from tests.web.searching_app import SEARCH
from tests.web.test_keys import App, app
from tests.web.usage_app import (
    COST,
    DAY,
    HAIKU,
    OPUS,
    SCRIPT,
    USAGE,
    Tally,
    asked,
    body,
    counted,
    report,
    reported,
    results,
)

MARKED = [{"type": "text", "text": "word " * 5000, "cache_control": {"type": "ephemeral"}}]
LASTING = [{"type": "text", "text": "other " * 5000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
EDIT = {"edits": [{"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}]}


def summed(found: Any) -> Tokens:
    return sum(map(reported, results(found)), Tokens())


async def leaves(server: App, key: str, *, seen: int, **more: Any) -> Tokens:
    """Ask, and go away after so many words; what was told until then."""
    async with server.bridge.open(
        "POST", "/v1/messages", body("slow", stream=True, **more), headers={"x-api-key": key}
    ) as exchange:
        await exchange.begin()
        came = b""
        async for chunk in exchange.chunks():
            came += chunk
            if came.count(b"event: content_block_delta") == seen:
                break
        begun = parse_events(came)[0]["message"]["usage"]
        await exchange.disconnect()
    return counted({**begun, "output_tokens": seen})


@pytest.mark.promise("usage.sums", "further.usage-reports", "usage.broken-off", "usage.groups")
async def test_a_report_says_what_clients_of_all_kinds_were_told(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT, runs=[ScriptedTool()]) as server:
        admin, one = await server.key("boss", admin=True), await server.key("one")
        await server.ask(one)
        tally = Tally(server, one)
        found = (await tally.post(body("find", tools=[SEARCH]))).json
        assert found["usage"]["server_tool_use"]["web_search_requests"] == 1
        for stream in (False, True):
            await tally.post(body(stream=stream))
            await tally.post(body(system=MARKED, stream=stream))
            await tally.post(body(system=LASTING, stream=stream))
        long = body("word " * 51_000, stream=True, context_management=EDIT)
        assert b'"compaction"' in (await tally.post(long, "compact-2026-01-12")).body
        assert min(tally.told.read, tally.told.brief, tally.told.lasting) > 4000
        tally.told += await leaves(server, one, seen=4)
        for failing in (body("dies"), body(max_tokens=-1), body(model="no-such-model")):
            answer = await server.bridge.post(failing, headers={"x-api-key": one})
            assert answer.status in (400, 404, 500)
        standard = tally.told
        batches = Client(server.bridge, {"x-api-key": one})
        batch = await batches.create(request("a"), request("b", system=MARKED), request("bad", max_tokens=-1))
        lines = await batches.results(batch)
        assert lines["bad"]["type"] == "errored"
        for name in ("a", "b"):
            tally.told += counted(lines[name]["message"]["usage"])
        whole = await report(server, admin)
        assert summed(whole) == tally.told
        assert len(whole["data"]) == 1
        apart = {
            each["service_tier"]: each
            for each in results(await report(server, admin, f"{DAY}&group_by[]=service_tier"))
        }
        assert reported(apart["standard"]) == standard
        assert reported(apart["standard"]) + reported(apart["batch"]) == tally.told


@pytest.mark.promise("usage.groups")
async def test_keys_workspaces_and_models_are_told_apart_and_filtered(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT) as server:
        admin = await server.key("boss", admin=True)
        tallies: dict[tuple[str, str], Tally] = {}
        ids: dict[str, str] = {}
        answers: list[Answer] = []
        for name in ("one", "two"):
            key = await server.key(name, workspace=f"w-{name}")
            await server.ask(key)
            for model in (OPUS, HAIKU):
                tallies[name, model] = Tally(server, key)
                answer = await tallies[name, model].post(body("Hi " * (3 if name == "one" else 5), model))
                ids[name] = answer.headers["anthropic-workspace-id"]
                answers.append(answer)
        keys = {key.name: key.id for key in await server.keys.all()}
        query = f"{DAY}&group_by[]=api_key_id&group_by[]=model&group_by[]=workspace_id"
        found = {(each["api_key_id"], each["model"]): each for each in results(await report(server, admin, query))}
        assert len(found) == 4
        for (name, model), tally in tallies.items():
            each = found[keys[name], model]
            assert reported(each) == tally.told
            assert each["workspace_id"] == ids[name]
            assert (each["service_tier"], each["context_window"], each["inference_geo"]) == (None, None, None)
            assert {each[name] for name in ("account_id", "service_account_id", "speed")} == {None}
        only = f"{DAY}&models[]={HAIKU}&api_key_ids[]={keys['two']}&service_tiers[]=standard&context_window[]=0-200k"
        assert summed(await report(server, admin, only)) == tallies["two", HAIKU].told
        both = f"{DAY}&workspace_ids[]={ids['one']}&workspace_ids[]={ids['two']}"
        assert summed(await report(server, admin, both)) == sum((each.told for each in tallies.values()), Tokens())
        geos = {
            each["inference_geo"] for each in results(await report(server, admin, f"{both}&group_by[]=inference_geo"))
        }
        assert geos == {answer.json["usage"]["inference_geo"] for answer in answers}
        for nothing in ("models[]=x", "account_ids[]=a", "service_account_ids[]=a", "workspace_ids[]=%00"):
            assert results(await report(server, admin, f"{DAY}&{nothing}")) == []
        fast = {"anthropic_beta": "fast-mode-2026-02-01"}
        (sped,) = results(await report(server, admin, f"{DAY}&group_by[]=speed&speeds[]=standard", **fast))
        assert sped["speed"] == "standard"
        assert results(await report(server, admin, f"{DAY}&speeds[]=fast", **fast)) == []
        assert (await asked(server, admin, f"{DAY}&speeds[]=fast")).status == 400


@pytest.mark.promise("usage.buckets", "usage.pages")
async def test_every_bucket_is_there_oldest_first_and_pages_go_on(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT) as server:
        tally = Tally(server)
        await tally.post(body())
        server.clock.time += 2 * 3600.0
        await tally.post(body())
        query = "starting_at=2026-02-02T01:59:59Z&bucket_width=1h"
        whole = await report(server, None, query)
        starts = [bucket["starting_at"] for bucket in whole["data"]]
        assert starts == [f"2026-02-02T0{hour}:00:00Z" for hour in range(1, 5)]
        assert [bucket["ending_at"] for bucket in whole["data"]] == [*starts[1:], "2026-02-02T05:00:00Z"]
        assert [len(bucket["results"]) for bucket in whole["data"]] == [0, 1, 0, 1]
        assert summed(whole) == tally.told
        assert (whole["has_more"], whole["next_page"]) == (False, None)
        walked: list[Any] = []
        page = await report(server, None, f"{query}&limit=3")
        walked += page["data"]
        assert page["has_more"]
        page = await report(server, None, f"{query}&limit=3&page={page['next_page']}")
        assert [*walked, *page["data"]] == whole["data"]
        assert not page["has_more"]
        ended = await report(server, None, f"{query}&ending_at=2026-02-02T03:59:59Z")
        assert [bucket["starting_at"] for bucket in ended["data"]] == starts[:2]


async def test_a_report_has_every_key_at_all_times(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT) as server:
        await Tally(server).post(body())
        for path, kind in ((USAGE, UsageReport), (COST, CostReport)):
            answer = await asked(server, None, DAY, path)
            assert msgspec.json.encode(msgspec.json.decode(answer.body, type=kind)) == answer.body
            ((result,),) = [bucket["results"] for bucket in answer.json["data"]]
            assert len(result) == (14 if path == USAGE else 10)


@pytest.mark.promise("usage.admins")
async def test_reports_are_for_admin_keys(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT) as server:
        admin, one = await server.key("boss", admin=True), await server.key("one")
        await server.ask(one)
        for path in (USAGE, COST):
            assert [(await asked(server, key, DAY, path)).status for key in (admin, one, None)] == [200, 403, 401]


@pytest.mark.promise("usage.forgotten")
async def test_without_records_there_are_no_reports(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT, usage=UsageSettings(days=0)) as server:
        assert (await server.bridge.post(body())).status == 200
        assert (await asked(server, None, DAY)).status == 404


@pytest.mark.promise("usage.costs")
async def test_costs_are_the_tokens_times_their_prices_in_cents(tmp_path: Path) -> None:
    prices = (Price("claude-opus-*", 5.0, 25.0, 0.5, 6.25, 10.0), Price("*", 0.1, 0.3))
    settings: dict[str, Any] = {"prices": prices, "other_prices": OtherPrices(10.0)}
    async with app(tmp_path, SCRIPT, runs=[ScriptedTool()], **settings) as server:
        opus, haiku = Tally(server), Tally(server)
        await opus.post(body("find", tools=[SEARCH]))
        for system in (MARKED, MARKED, LASTING):
            await opus.post(body(system=system))
        await haiku.post(body(model=HAIKU))
        batches = Client(server.bridge)
        lines = await batches.results(await batches.create(request("a")))
        row, told = counted(lines["a"]["message"]["usage"]), opus.told
        # Dollars for a million, and ten for a thousand searches: in cents.
        standard = told.uncached * 5 + told.read * 0.5 + told.brief * 6.25 + told.lasting * 10 + told.output * 25
        cents = standard / 10_000 + told.searches + (row.uncached * 5 + row.output * 25) / 20_000
        cents += (haiku.told.uncached * 0.1 + haiku.told.output * 0.3) / 10_000
        (day,) = (await report(server, None, path=COST))["data"]
        (whole,) = day["results"]
        assert float(whole["amount"]) == pytest.approx(cents, rel=1e-12)
        assert (whole["currency"], whole["description"], whole["workspace_id"]) == ("USD", None, None)
        described = results(await report(server, None, f"{DAY}&group_by[]=description&group_by[]=workspace_id", COST))
        assert sum(float(each["amount"]) for each in described) == pytest.approx(cents, rel=1e-12)
        written = [each for each in described if each["token_type"] == "output_tokens" and each["model"] == OPUS]
        assert {(each["service_tier"], each["description"]) for each in written} == {
            ("standard", f"{OPUS} Usage - Output Tokens"),
            ("batch", f"{OPUS} Usage (Batch) - Output Tokens"),
        }
        (searched,) = [each for each in described if each["cost_type"] == "web_search"]
        assert (searched["amount"], searched["model"]) == ("1", None)
        assert all(each["workspace_id"].startswith("wrkspc_") for each in described)


@pytest.mark.promise("usage.costs")
async def test_without_prices_costs_are_nothing(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT) as server:
        await Tally(server).post(body())
        (day,) = (await report(server, None, path=COST))["data"]
        assert [each["amount"] for each in day["results"]] == ["0"]


@pytest.mark.promise("usage.no-harm")
async def test_while_the_database_is_away_replies_go_on_and_are_counted_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise StoreUnavailable("it is away")

    limits = (LimitRule("all", dollars_per_month=1.0),)
    async with app(tmp_path, SCRIPT, limits=limits, prices=(Price("*", 0.001),)) as server:
        tally = Tally(server)
        with monkeypatch.context() as patched:
            patched.setattr(SqlUsage, "add", gone)
            patched.setattr(SqlUsage, "sums", gone)
            for stream in (False, True):
                await tally.post(body(stream=stream))
            assert (await asked(server, None, DAY)).status == 529
        assert summed(await report(server, None)) == tally.told
