"""Limits over the whole app: what replies say of them, what is refused, what counts."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from antiphon.config import LimitRule, StoreSettings
from antiphon.testing import scripted_app
from antiphon.testing.bridge import WAIT, Answer
from antiphon.testing.clock import FixedClock
from tests.web.batches import Client, request
from tests.web.test_keys import app

SCRIPT = "[[reply]]\ntext = 'One two three four.'\n"
HANGS = "[[reply]]\nchunks = ['a', ' b', ' c', ' d', ' e']\nhang = true\nafter_chunks = 4\n" * 3
PARTS = ("limit", "remaining", "reset")
KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
ALL = LimitRule("all", requests_per_minute=6, input_tokens_per_minute=60_000, output_tokens_per_minute=30_000)


def body(words: int = 1, model: str = "claude-opus-4-8", **more: Any) -> dict[str, Any]:
    content = "word " * words
    return {"model": model, "max_tokens": 60, "messages": [{"role": "user", "content": content}], **more}


def said(answer: Answer, kind: str) -> list[str]:
    """What a reply says of one kind of limit."""
    return [answer.headers[f"anthropic-ratelimit-{kind}-{part}"] for part in PARTS]


def remaining(answer: Answer, kind: str) -> int:
    return int(said(answer, kind)[1])


@pytest.mark.promise("limits.headers")
@pytest.mark.parametrize("stream", [False, True])
async def test_every_reply_says_what_is_left_and_when_all_of_it_is_back(stream: bool) -> None:
    clock = FixedClock(1_000_000.0)
    async with scripted_app(SCRIPT, clock=clock, limits=(ALL,)) as bridge:
        first = await bridge.post(body(2000, stream=stream))
        second = await bridge.post(body(2000, stream=stream))
    names = {name for name in second.headers if name.startswith("anthropic-ratelimit-")}
    assert names == {f"anthropic-ratelimit-{kind}-{part}" for kind in KINDS for part in PARTS}
    assert said(first, "requests") == ["6", "5", "1970-01-12T13:46:50Z"]
    assert said(second, "requests") == ["6", "4", "1970-01-12T13:47:00Z"]
    assert remaining(second, "input-tokens") < remaining(first, "input-tokens") < 60_000
    assert all(remaining(second, kind) % 1000 == 0 for kind in KINDS[1:])
    assert said(second, "tokens")[0] == "90000"


@pytest.mark.promise("limits.off")
async def test_without_limits_nothing_is_said_of_them() -> None:
    async with scripted_app(SCRIPT) as bridge:
        answer = await bridge.post(body())
    assert not [name for name in answer.headers if "ratelimit" in name]


@pytest.mark.promise("limits.refused")
async def test_what_goes_beyond_is_refused_and_waiting_as_told_suffices() -> None:
    clock = FixedClock()
    async with scripted_app(SCRIPT, clock=clock, limits=(LimitRule("all", requests_per_minute=2),)) as bridge:
        for _ in range(2):
            assert (await bridge.post(body())).status == 200
        refused = await bridge.post(body())
        assert refused.status == 429
        error = refused.json["error"]
        assert error["type"] == "rate_limit_error"
        organization = refused.headers["anthropic-organization-id"]
        assert error["message"].startswith(
            "This request would exceed your organization's rate limit of 2 requests per minute "
            f"(org: {organization}, model: claude-opus-4-8)."
        )
        assert (refused.headers["retry-after"], refused.headers["x-should-retry"]) == ("30", "true")
        assert said(refused, "requests")[:2] == ["2", "0"]
        clock.time += 29.0
        assert (await bridge.post(body())).status == 429
        clock.time += 1.0
        assert (await bridge.post(body())).status == 200


async def test_a_prompt_larger_than_the_bucket_passes_when_that_is_full() -> None:
    clock = FixedClock()
    async with scripted_app(SCRIPT, clock=clock, limits=(LimitRule("all", input_tokens_per_minute=1000),)) as bridge:
        assert (await bridge.post(body(1500))).status == 200
        refused = await bridge.post(body(10))
        assert "1,000 input tokens per minute" in refused.json["error"]["message"]
        clock.time += float(refused.headers["retry-after"])
        assert (await bridge.post(body(10))).status == 200


@pytest.mark.promise("limits.cache-reads-free")
async def test_what_a_cache_had_is_free() -> None:
    rule = LimitRule("all", input_tokens_per_minute=100_000)
    marked = [{"type": "text", "text": "word " * 6000, "cache_control": {"type": "ephemeral"}}]
    asked = body(system=marked)
    async with scripted_app(SCRIPT, clock=FixedClock(), limits=(rule,)) as bridge:
        usages: list[dict[str, Any]] = []
        left: list[int] = []
        for _ in range(3):
            answer = await bridge.post(asked)
            usages.append(answer.json["usage"])
            left.append(remaining(await bridge.post(body()), "input-tokens"))
    assert usages[1]["cache_read_input_tokens"] > 5000
    assert left[0] < 96_000
    assert left[0] == left[1] == left[2]


@pytest.mark.promise("limits.max-tokens-free")
async def test_what_is_written_counts_and_not_what_might_have_been() -> None:
    rule = LimitRule("all", output_tokens_per_minute=12)
    async with scripted_app(SCRIPT, clock=FixedClock(), limits=(rule,)) as bridge:
        answers = [await bridge.post(body(max_tokens=8000, stream=stream)) for stream in (False, True, False, False)]
        assert answers[0].json["usage"]["output_tokens"] in range(5, 10)
    statuses = [answer.status for answer in answers]
    assert statuses[:2] == [200, 200]
    assert statuses[-1] == 429
    assert "12 output tokens per minute" in answers[-1].json["error"]["message"]


@pytest.mark.promise("limits.max-tokens-free")
async def test_who_leaves_early_has_used_what_was_written() -> None:
    rule = LimitRule("all", output_tokens_per_minute=3)
    async with scripted_app(HANGS, clock=FixedClock(), limits=(rule,)) as bridge:
        async with bridge.open("POST", "/v1/messages", body(stream=True)) as exchange:
            await exchange.begin()
            seen = b""
            async for chunk in exchange.chunks():
                seen += chunk
                if seen.count(b"event: content_block_delta") == 4:
                    break
            await exchange.disconnect()
        assert (await bridge.post(body())).status == 429


@pytest.mark.promise("limits.groups")
async def test_models_and_callers_have_buckets_of_their_own() -> None:
    rules = (
        LimitRule("opus", models=("claude-opus-*",), per="key", requests_per_minute=1),
        LimitRule("haiku", models=("claude-haiku-*",), requests_per_minute=1),
    )
    async with scripted_app(SCRIPT, clock=FixedClock(), limits=rules, api_keys=("one", "two")) as bridge:

        async def status(key: str, model: str) -> int:
            return (await bridge.post(body(model=model), headers={"x-api-key": key})).status

        assert [await status(key, "claude-opus-4-8") for key in ("one", "two", "one")] == [200, 200, 429]
        assert [await status(key, "claude-haiku-4-5") for key in ("one", "two")] == [200, 429]
        assert await status("one", "claude-sonnet-4-6") == 200


@pytest.mark.promise("limits.groups")
async def test_counting_files_and_batches_have_limits_of_their_own(tmp_path: Path) -> None:
    groups = ("token_count", "files", "batch")
    rules = tuple(LimitRule(group, group=group, requests_per_minute=1) for group in groups)
    stores = StoreSettings(data=str(tmp_path))
    counted = {key: value for key, value in body().items() if key != "max_tokens"}
    async with scripted_app(SCRIPT, clock=FixedClock(), limits=rules, stores=stores) as bridge:
        for method, path, sent in (
            ("POST", "/v1/messages/count_tokens", counted),
            ("GET", "/v1/files", None),
            ("GET", "/v1/messages/batches", None),
        ):
            answers = [await bridge.ask(method, path, sent) for _ in range(2)]
            assert [answer.status for answer in answers] == [200, 429], path
            assert said(answers[0], "requests")[:2] == ["1", "0"]
        assert (await bridge.post(body())).status == 200


@pytest.mark.promise("limits.concurrency")
async def test_more_at_once_than_is_allowed_is_refused_until_one_has_ended() -> None:
    rule = LimitRule("all", concurrency=1)
    async with scripted_app(HANGS, clock=FixedClock(), limits=(rule,)) as bridge:
        async with bridge.open("POST", "/v1/messages", body(stream=True)) as exchange:
            await exchange.begin()
            refused = await bridge.post(body())
            assert refused.status == 429
            assert refused.json["error"]["message"].startswith("Number of concurrent connections has exceeded")
            await exchange.disconnect()
        async with bridge.open("POST", "/v1/messages", body(stream=True)) as exchange:
            await exchange.begin()
            assert exchange.status == 200
            await exchange.disconnect()


@pytest.mark.promise("limits.listed")
async def test_what_is_configured_is_told_to_admins(tmp_path: Path) -> None:
    path = "/v1/organizations/rate_limits"
    opus = LimitRule("opus", models=("claude-opus-*",), requests_per_minute=9, output_tokens_per_minute=7)
    async with app(tmp_path, limits=(opus, LimitRule("files", group="files", requests_per_minute=5))) as server:
        admin, key = await server.key("boss", admin=True), await server.key("one")
        assert (await server.ask(key, path)).json["error"]["type"] == "permission_error"
        assert (await server.ask(None, path)).status == 401
        models, files = (await server.ask(admin, path)).json["data"]
        assert (models["type"], models["group"]["type"], models["group"]["display_name"]) == (
            *("rate_limit", "model_group", "opus"),
        )
        assert models["limits"] == [
            {"type": "requests_per_minute", "value": 9},
            {"type": "output_tokens_per_minute", "value": 7},
        ]
        assert "claude-opus-4-8" in models["models"]
        assert all(name.startswith("claude-opus-") for name in models["models"])
        assert (files["models"], files["limits"]) == (None, [{"type": "requests_per_minute", "value": 5}])

        async def found(query: str) -> Answer:
            return await server.bridge.ask("GET", path, headers={"x-api-key": admin}, query=query)

        assert (await found("group_type=files")).json["data"] == [files]
        assert (await found("model=claude-opus-4-8")).json["data"] == [models]
        assert (await found("model=claude-haiku-4-5")).status == 404
        assert (await found("group_type=else")).status == 400
        page = (await found("limit=1")).json
        assert page["data"] == [models]
        assert (await found(f"limit=1&page={page['next_page']}")).json == {"data": [files], "next_page": None}


@pytest.mark.promise("limits.enqueued")
async def test_a_batch_that_would_let_too_many_requests_wait_is_refused_whole(tmp_path: Path) -> None:
    rules = (
        LimitRule("all", group="batch", enqueued_batch_requests=4),
        LimitRule("one", per="key", group="batch", enqueued_batch_requests=3),
    )
    async with app(tmp_path, limits=rules) as server:
        one, two = [Client(server.bridge, {"x-api-key": await server.key(name)}) for name in ("one", "two")]
        admin = await server.key("boss", admin=True)
        await server.ask(admin)
        slow = [request(f"r{number}", content="slow") for number in range(3)]
        batch = await one.create(*slow)
        refused = await one.ask("POST", "", {"requests": slow[:1]})
        assert (refused.status, refused.headers["x-should-retry"]) == (429, "false")
        assert refused.json["error"]["message"].startswith(
            "This request would exceed your organization's rate limit of 3 enqueued batch requests (org: "
        )
        refused = await two.ask("POST", "", {"requests": slow[:2]})
        assert "4 enqueued batch requests" in refused.json["error"]["message"]
        assert len((await two.ask("GET")).json["data"]) == 1
        await two.create(slow[0])
        assert (await one.ask("POST", f"/{batch['id']}/cancel")).status == 200
        listed = (await server.ask(admin, "/v1/organizations/rate_limits")).json["data"]
        assert [each["limits"] for each in listed] == [
            [{"type": "enqueued_batch_requests", "value": most}] for most in (4, 3)
        ]


@pytest.mark.promise("limits.batch-requests")
async def test_requests_of_a_batch_wait_until_a_limit_lets_them_through(tmp_path: Path) -> None:
    rules = (LimitRule("rows", group="batch_requests", models=("claude-opus-*",), requests_per_minute=2),)
    async with app(tmp_path, limits=rules) as server:
        batches = Client(server.bridge)
        batch = await batches.create(*(request(f"r{number}") for number in range(5)))
        other = await batches.create(*(request(f"r{number}", model="claude-haiku-4-5") for number in range(5)))
        assert {line["type"] for line in (await batches.results(other)).values()} == {"succeeded"}
        for _ in range(4):
            assert (await server.bridge.post(body())).status == 200
        assert (await batches.get(batch))["processing_status"] == "in_progress"
        async with asyncio.timeout(WAIT):
            begun = server.clock.time
            while (await batches.get(batch))["processing_status"] != "ended":
                server.clock.time += 1.0
        # Two at once, and one each half of a minute.
        assert server.clock.time - begun >= 60.0
        assert {line["type"] for line in (await batches.results(batch)).values()} == {"succeeded"}


@pytest.mark.promise("limits.of-workspaces")
async def test_limits_of_a_workspace_are_told_beside_those_of_the_organization(tmp_path: Path) -> None:
    rules = (
        LimitRule("all", requests_per_minute=9, output_tokens_per_minute=100),
        LimitRule("haiku", models=("claude-haiku-*",), requests_per_minute=2),
        LimitRule(
            "each", per="workspace", models=("claude-opus-*",), requests_per_minute=5, input_tokens_per_minute=7
        ),
    )
    async with app(tmp_path, limits=rules) as server:
        admin, key = await server.key("boss", admin=True), await server.key("one")
        workspace = (await server.ask(key)).headers["anthropic-workspace-id"]
        path = f"/v1/organizations/workspaces/{workspace}/rate_limits"

        async def found(query: str = "", key: str = admin, path: str = path) -> Answer:
            return await server.bridge.ask("GET", path, headers={"x-api-key": key}, query=query)

        (own,) = (await found()).json["data"]
        assert (own["type"], own["workspace_id"]) == ("workspace_rate_limit", workspace)
        assert own["limits"] == [
            {"type": "requests_per_minute", "value": 5, "org_limit": 9, "source": {"type": "workspace"}},
            {"type": "input_tokens_per_minute", "value": 7, "org_limit": None, "source": {"type": "workspace"}},
        ]
        assert all(name.startswith("claude-opus-") for name in own["models"])
        listed = (await found(path="/v1/organizations/rate_limits")).json["data"]
        assert own["rate_limit_id"] == listed[2]["id"]
        every = (await found("include_inherited=true")).json["data"]
        assert every[0] == own
        assert [(each["rate_limit_id"], each["limits"][0]["org_limit"]) for each in every[1:]] == [
            (listed[0]["id"], 9),
            (listed[1]["id"], 2),
        ]
        assert {value["source"]["type"] for each in every[1:] for value in each["limits"]} == {"organization"}
        page = (await found("include_inherited=true&limit=2")).json
        assert page["data"] == every[:2]
        assert (await found(f"include_inherited=true&page={page['next_page']}")).json["data"] == every[2:]
        assert (await found("group_type=files")).json["data"] == []
        assert (await found(key=key)).status == 403
        assert (await found(path=path.replace(workspace, "wrkspc_0"))).status == 404
        assert (await found("include_inherited=maybe")).status == 400
        assert (await server.bridge.ask("POST", path, {}, headers={"x-api-key": admin})).status == 405
