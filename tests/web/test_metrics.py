"""`/metrics`: who may read it, what it says of requests, and that the dashboard asks for what is there."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Receive, Scope, Send

from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.engine import EngineHealth, KeptPrefixes
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.service.measuring import engine_families, waiting
from antiphon.service.metrics import Metrics, gauge
from antiphon.testing import Bridge, engine_app
from antiphon.testing.app import MODEL
from antiphon.web.metrics import endpoint_of, text_of
from tests.arch.tree import ROOT
from tests.service.server_tools import ScriptedTool
from tests.web.searching_app import SEARCH, says, search
from tests.web.test_keys import app as keyed

DASHBOARD = ROOT / "deploy" / "grafana" / "antiphon.json"
SECRET = "the word that nobody may read"
SONNET = "claude-sonnet-4-5-20250929"


def read(text: str) -> dict[str, Metric]:
    """The metrics, as Prometheus' own client reads them; the names of counters are without their `_total`."""
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(family: Metric) -> dict[tuple[str, ...], float]:
    """The values by those of the labels."""
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


async def scraped(bridge: Bridge, key: str | None = None) -> dict[str, Metric]:
    answer = await bridge.ask("GET", "/metrics", headers={"x-api-key": key})
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert SECRET not in answer.body.decode()
    return read(answer.body.decode())


def ask(content: Any = SECRET, **more: Any) -> dict[str, Any]:
    return {"model": SONNET, "max_tokens": 100, "messages": [{"role": "user", "content": content}], **more}


@pytest.mark.promise("metrics.truthful", "metrics.private", "metrics.format")
async def test_requests_are_counted_by_status_model_and_key() -> None:
    async with engine_app(ScriptedEngine(MODEL, says("Hello you!")), metrics_keys=("watch",)) as bridge:
        for body in (ask(), ask(stream=True), ask(max_tokens=-1), ask(model="claude-nobody")):
            await bridge.ask("POST", "/v1/messages", body)
        await bridge.ask("POST", "/v1/messages/count_tokens", {"model": SONNET, "messages": ask()["messages"]})
        await bridge.ask("GET", "/v1/models/claude-opus-4-8")
        for path in ("/livez", "/readyz", "/health"):
            await bridge.ask("GET", path)
        found = await scraped(bridge, "watch")
    assert samples(found["antiphon_requests"]) == {
        ("messages", "200", SONNET, ""): 2,
        ("messages", "400", "", ""): 1,
        ("messages", "404", "", ""): 1,
        ("count_tokens", "200", "", ""): 1,
        ("models", "200", "", ""): 1,
    }
    assert samples(found["antiphon_replies"]) == {(SONNET, "end_turn"): 2}
    assert samples(found["antiphon_requests_in_flight"]) == {(): 0}
    assert samples(found["antiphon_engine_up"]) == {(MODEL,): 1}
    assert found["antiphon_time_to_first_token_seconds"].type == "histogram"


@pytest.mark.promise("metrics.truthful")
async def test_tools_of_the_server_and_their_failures_are_counted() -> None:
    async def fails(call: ServerCall) -> ServerResult:
        raise ToolProblem("too_many_requests", SECRET)

    rules = [says(search(), when=SECRET, times=1), says("Done.")]
    for tool, outcome in ((ScriptedTool(), "ok"), (ScriptedTool(fails), "too_many_requests")):
        async with engine_app(ScriptedEngine(MODEL, "".join(rules)), runs=[tool]) as bridge:
            answer = await bridge.ask("POST", "/v1/messages", ask(tools=[SEARCH]))
            assert answer.status == 200, answer.body
            found = await scraped(bridge)
        assert samples(found["antiphon_server_tool_calls"]) == {("web_search", outcome): 1}


@pytest.mark.promise("metrics.truthful")
async def test_batches_are_told_with_their_depth_and_counted_as_replies(tmp_path: Path) -> None:
    async with keyed(tmp_path) as server:
        assert samples((await scraped(server.bridge))["antiphon_batch_requests"]) == {
            ("open",): 0,
            ("taken",): 0,
            ("running",): 0,
        }


@pytest.mark.promise("metrics.private")
async def test_who_may_read_them(tmp_path: Path) -> None:
    async with engine_app(ScriptedEngine(MODEL, says("Hi"))) as bridge:
        elsewhere = Bridge(_seen_from(bridge, "192.0.2.7"))
        assert await status(bridge) == 200
        assert await status(elsewhere) == 401
        assert await status(bridge, **{"x-forwarded-for": "192.0.2.7"}) == 401
    async with engine_app(ScriptedEngine(MODEL, says("Hi")), api_keys=("good",)) as bridge:
        assert await status(bridge) == 401
        assert await status(bridge, **{"x-api-key": "good"}) == 403
    async with engine_app(ScriptedEngine(MODEL, says("Hi")), api_keys=("good",), metrics_keys=("watch",)) as bridge:
        assert await status(bridge) == 401
        assert await status(bridge, **{"x-api-key": "guess"}) == 401
        assert await status(bridge, authorization="Bearer watch") == 200
        watching = await bridge.ask("GET", "/v1/models", headers={"x-api-key": "watch"})
        assert watching.status == 401
    async with engine_app(ScriptedEngine(MODEL, says("Hi")), metrics_keys=("watch",)) as bridge:
        assert await status(bridge) == 401
    async with keyed(tmp_path) as server:
        user, admin = await server.key("user"), await server.key("admin", admin=True)
        server.clock.time += 60
        assert await status(server.bridge, **{"x-api-key": admin}) == 200
        assert await status(server.bridge, **{"x-api-key": user}) == 403
        await server.ask(user)
        found = samples((await scraped(server.bridge, admin))["antiphon_requests"])
    keys = [key for endpoint, _, _, key in found if endpoint == "models"]
    assert len(keys) == 1
    assert keys[0].startswith("apikey_")


async def status(bridge: Bridge, **headers: str) -> int:
    return (await bridge.ask("GET", "/metrics", headers={"x-api-key": None, **headers})).status


def _seen_from(bridge: Bridge, host: str):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await bridge.app({**scope, "client": (host, 1)}, receive, send)

    return app


@pytest.mark.promise("metrics.bounded")
@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/v1/messages", "messages"),
        ("/v1/messages/count_tokens", "count_tokens"),
        ("/v1/messages/batches", "batches"),
        ("/v1/messages/batches/msgbatch_1/results", "batches"),
        ("/v1/files/file_1/content", "files"),
        ("/v1/models/claude-opus-4-8", "models"),
        ("/v1/nothing/of/it", "other"),
        ("/", "other"),
        ("/metrics", None),
        ("/livez", None),
    ],
)
def test_paths_are_counted_under_few_names(path: str, endpoint: str | None) -> None:
    assert endpoint_of(path) == endpoint


async def everything() -> AsyncIterator[str]:
    """All that a server may ever tell, of two workers and their parent."""
    metrics = Metrics()
    metrics.requests.add("messages", "200", "opus", "apikey_1")
    metrics.replies.add("opus", "end_turn")
    metrics.tokens.add("opus", "input")
    metrics.prompts.add("opus", "hit")
    metrics.tools.add("web_search", "ok")
    metrics.first.add("opus", 1.0)
    metrics.each.add("opus", 0.1)
    url = "http://gpu:8000"
    state = EngineHealth(True, "", {url: "in service"}, KeptPrefixes(memory=1), frozenset({url}), 0)
    own = [
        *metrics.families(),
        *engine_families({'the "best" one\\\n': state}),
        gauge("antiphon_batch_requests", "", {(("state", "open"),): 1}),
        gauge("antiphon_sandbox_containers", "", {(): 1}),
    ]
    yield text_of({"1": own, "2": own, "": [waiting({"small": 3}), gauge("antiphon_workers", "", {(): 2})]})


@pytest.mark.promise("metrics.workers", "metrics.format")
async def test_series_of_workers_are_told_apart_and_names_stand_as_they_are() -> None:
    async for text in everything():
        found = read(text)
        assert samples(found["antiphon_replies"]) == {("opus", "end_turn", "1"): 1, ("opus", "end_turn", "2"): 1}
        assert samples(found["antiphon_workers"]) == {(): 2}
        assert {sample.labels["model"] for sample in found["antiphon_engine_up"].samples} == {'the "best" one\\\n'}
        assert samples(found["antiphon_engine_waiting"])[("small",)] == 3
        assert text.count("# TYPE antiphon_replies_total counter\n") == 1


@pytest.mark.promise("metrics.dashboard")
async def test_every_query_of_the_dashboard_asks_for_metrics_and_labels_that_are_there() -> None:
    labels: dict[str, set[str]] = {}
    async for text in everything():
        for family in read(text).values():
            for sample in family.samples:
                labels.setdefault(sample.name, {"instance", "job"}).update(sample.labels)
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [each["query"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
    assert len(queries) > 15
    for query in queries:
        names = set(re.findall(r"antiphon_[a-z_]+", query))
        assert names, query
        assert names <= labels.keys(), query
        said = re.findall(r"(?:by|without) \(([^)]*)\)", query) + re.findall(r"\{([^}]*)\}", query)
        asked = {word for part in said for word in re.findall(r"([a-z]+)\s*(?:=|,|$)", part)}
        asked |= set(re.findall(r"label_values\(\w+, (\w+)\)", query))
        known = set[str]().union(*(labels[name] for name in names))
        assert asked <= known, query
