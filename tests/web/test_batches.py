"""Batches over HTTP: what a client sees of them."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from antiphon.config import BatchSettings
from antiphon.testing import FixedClock
from antiphon.testing.bridge import WAIT
from tests.web.batches import PATH, Client, Json, app, params, request

DAY = 86_400.0
KEYS = ("key-of-one", "key-of-two")
LONG = "x" * 65
NOTHING: list[Json] = []


def error_of(answer: Any) -> tuple[int, str, str]:
    error = answer.json["error"]
    return answer.status, error["type"], error["message"]


@pytest.mark.promise("batches.counts", "batches.tier", "batches.results-url")
async def test_a_batch_is_made_and_run_and_its_results_are_fetched(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        client = Client(bridge, {"host": "localhost:8080"})
        batch = await client.create(request("one"), request("two"))
        assert batch == {
            "id": batch["id"],
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": {"processing": 2, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
            "ended_at": None,
            "created_at": "2026-02-02T02:40:00.000000Z",
            "expires_at": "2026-02-03T02:40:00.000000Z",
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": None,
        }
        assert batch["id"].startswith("msgbatch_01")
        ended = await client.ended(batch)
        assert ended["results_url"] == f"http://localhost:8080{PATH}/{batch['id']}/results"
        assert ended["request_counts"] == {
            **batch["request_counts"],
            "processing": 0,
            "succeeded": 2,
        }
        assert ended["ended_at"] == "2026-02-02T02:40:00.000000Z"
        found = await client.results(batch)
        assert set(found) == {"one", "two"}
        message = found["one"]["message"]
        assert (found["one"]["type"], message["type"], message["content"][0]["text"]) == (
            "succeeded",
            "message",
            "Hello.",
        )
        assert message["usage"]["service_tier"] == "batch"
        alone = await bridge.post(params())
        assert alone.json["usage"]["service_tier"] == "standard"


async def test_results_are_lines_of_json(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        client = Client(bridge)
        batch = await client.ended(await client.create(*(request(f"id-{n}") for n in range(150))))
        answer = await client.ask("GET", f"/{batch['id']}/results", headers={"accept": "application/binary"})
        assert answer.headers["content-type"] == "application/x-jsonl"
        lines = answer.body.split(b"\n")
        assert lines.pop() == b""
        assert [json.loads(line)["custom_id"] for line in lines] == [f"id-{n}" for n in range(150)]
        head = await client.ask("HEAD", f"/{batch['id']}/results")
        assert (head.status, head.body) == (200, b"")


@pytest.mark.promise("batches.results-url")
async def test_the_head_of_results_is_the_same_however_often_they_are_fetched(tmp_path: Path) -> None:
    heads: list[list[tuple[bytes, bytes]]] = []
    async with app(tmp_path) as bridge:
        inner = bridge.app

        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    heads.append(message["headers"])
                await send(message)

            await inner(scope, receive, told)

        client = Client(bridge)
        batch = await client.create(request("one"))
        await client.ended(batch)
        bridge.app = noted
        for _ in range(3):
            assert (await client.ask("GET", f"/{batch['id']}/results")).status == 200
    names = [[name for name, _ in head] for head in heads]
    assert names[0] == names[1] == names[2]
    assert names[0].count(b"request-id") == 1
    assert len({dict(head)[b"request-id"] for head in heads}) == 3


@pytest.mark.promise("batches.results-url")
async def test_results_before_the_end_are_not_there_and_polls_say_when_to_ask_again(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        client = Client(bridge)
        batch = await client.create(request("one", content="slow"), request("two"))
        answer = await client.ask("GET", f"/{batch['id']}/results")
        assert error_of(answer) == (
            404,
            "not_found_error",
            f"Message Batch {batch['id']} has no available results.",
        )
        polled = await client.ask("GET", f"/{batch['id']}")
        assert polled.headers["retry-after"] == "10"
        assert polled.json["results_url"] is None


@pytest.mark.promise("batches.counts")
async def test_until_the_end_all_requests_count_as_processing_and_the_head_says_how_far_it_is(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        client = Client(bridge)
        batch = await client.create(request("one", content="slow"), request("two"), request("bad", model="no"))
        async with asyncio.timeout(WAIT):
            while True:
                polled = await client.ask("GET", f"/{batch['id']}")
                assert polled.json["request_counts"] == batch["request_counts"]
                said = polled.headers["antiphon-batch-counts"]
                if said == "succeeded=1, errored=1, canceled=0, expired=0, total=3":
                    break


@pytest.mark.promise("batches.one-bad-row")
async def test_a_request_with_a_mistake_errors_alone(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        client = Client(bridge)
        batch = await client.create(request("good"), request("bad", max_tokens=None), request("who", model="nobody"))
        found = await client.results(batch)
        assert found["good"]["type"] == "succeeded"
        details = {"error_visibility": "user_facing"}
        assert found["bad"] == {
            "type": "errored",
            "error": {
                "type": "error",
                "error": {
                    "details": details,
                    "type": "invalid_request_error",
                    "message": "max_tokens: Field required",
                },
                "request_id": None,
            },
        }
        assert found["who"]["error"]["error"] == {
            "details": details,
            "type": "not_found_error",
            "message": "model: nobody",
        }
        assert (await client.ended(batch))["request_counts"] == {
            "processing": 0,
            "succeeded": 1,
            "errored": 2,
            "canceled": 0,
            "expired": 0,
        }


@pytest.mark.promise("batches.refused")
async def test_what_batches_do_not_offer_is_an_errored_request(tmp_path: Path) -> None:
    cases: dict[str, tuple[Json, str]] = {
        "stream": ({"stream": True}, '"stream=True" is not supported in the Message Batches API'),
        "speed": ({"speed": "fast"}, '"speed" is not supported in the Message Batches API'),
        "thread": ({"thread": {"type": "create"}}, '"thread" is not supported in the Message Batches API'),
        "fallbacks": (
            {"fallbacks": [{"model": "claude-opus-4-7"}]},
            '"fallbacks" is not supported in the Message Batches API',
        ),
        "nothing": ({"max_tokens": 0}, "max_tokens: must be greater than or equal to 1"),
        "bill": (
            {"billing_policy": {"type": "billing_policy", "bill_to": "user_profile"}},
            '"billing_policy.bill_to: user_profile" is not supported in the Message Batches API',
        ),
        "store": ({"store": True}, "store: Extra inputs are not permitted"),
        "hint": ({"cache_hint": "x"}, "cache_hint: Extra inputs are not permitted"),
        "preview": ({"research_preview_2026_02": "x"}, "research_preview_2026_02: Extra inputs are not permitted"),
    }
    betas = "message-threads-2026-08-12, server-side-fallback-2026-07-01, user-profiles-billing-2026-10-01"
    async with app(tmp_path) as bridge:
        client = Client(bridge, {"anthropic-beta": betas})
        batch = await client.create(
            *(request(name, **more) for name, (more, _) in cases.items()),
            request("credit", fallback_credit_token="spent"),
        )
        found = await client.results(batch)
        assert found.pop("credit")["type"] == "succeeded"
        said = {name: result["error"]["error"]["message"] for name, result in found.items()}
        assert said == {name: message for name, (_, message) in cases.items()}


@pytest.mark.promise("batches.envelope", "batches.nothing-half")
@pytest.mark.parametrize(
    ("requests", "message"),
    [
        (
            [request("dup"), request("dup")],
            "requests: custom_id's must be unique within a batch. Duplicate custom_id found: dup",
        ),
        ([{"params": params()}], "requests.0.custom_id: Field required"),
        ([request(LONG)], "requests.0.custom_id: String should have at most 64 characters"),
        ([request("a b")], "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"),
        ([request("")], "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"),
        (NOTHING, "requests: List should have at least 1 item after validation, not 0"),
        ([request("one"), {"custom_id": "two"}], "requests.1.params: Field required"),
        ([{"custom_id": 1, "params": params()}], "requests.0.custom_id: Input should be a valid string"),
    ],
    ids=["duplicate", "missing", "long", "ill-formed", "empty", "no requests", "no params", "no string"],
)
async def test_an_envelope_with_a_mistake_is_refused_and_nothing_of_it_kept(
    tmp_path: Path, requests: list[Json], message: str
) -> None:
    async with app(tmp_path) as bridge:
        client = Client(bridge)
        answer = await client.ask("POST", "", {"requests": requests})
        assert error_of(answer) == (400, "invalid_request_error", message)
        assert (await client.ask("GET")).json == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.promise("batches.cancel")
async def test_a_canceled_batch_keeps_what_was_done_and_cancels_the_rest(tmp_path: Path) -> None:
    requests = [request("done"), request("slow", content="slow"), *(request(f"later-{n}") for n in range(5))]
    async with app(tmp_path, batches=BatchSettings(concurrency=1)) as bridge:
        client = Client(bridge)
        batch = await client.create(*requests)
        async with asyncio.timeout(WAIT):
            while "succeeded=1" not in (await client.ask("GET", f"/{batch['id']}")).headers["antiphon-batch-counts"]:
                pass
        canceled = await client.ask("POST", f"/{batch['id']}/cancel")
        assert canceled.status == 200
        assert canceled.json["processing_status"] == "canceling"
        assert canceled.json["cancel_initiated_at"] == "2026-02-02T02:40:00.000000Z"
        assert canceled.json["request_counts"]["processing"] == 7
    # The server ends in the middle of the slow one, which goes with it; the next one finds the batch canceled.
    async with app(tmp_path) as bridge:
        client = Client(bridge)
        found = await client.results(batch)
        assert found["done"]["type"] == "succeeded"
        rest = {result["type"] for name, result in found.items() if name not in ("done", "later-0")}
        assert rest == {"canceled"}
        assert found["slow"] == {"type": "canceled"}
        again = await client.ask("POST", f"/{batch['id']}/cancel")
        assert again.json["processing_status"] == "ended"


@pytest.mark.promise("batches.delete")
async def test_a_running_batch_is_not_deleted_and_an_ended_one_is(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        client = Client(bridge)
        running = await client.create(request("one", content="slow"))
        assert error_of(await client.ask("DELETE", f"/{running['id']}")) == (
            400,
            "invalid_request_error",
            "In progress batches cannot be deleted. Consider canceling the batch instead.",
        )
        batch = await client.ended(await client.create(request("one")))
        deleted = await client.ask("DELETE", f"/{batch['id']}")
        assert deleted.json == {"id": batch["id"], "type": "message_batch_deleted"}
        gone = (404, "not_found_error", f"Message Batch {batch['id']} not found.")
        for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/results")]:
            assert error_of(await client.ask(method, f"/{batch['id']}{path}")) == gone


@pytest.mark.promise("batches.list")
async def test_the_list_is_paged_both_ways(tmp_path: Path) -> None:
    async with app(tmp_path, batches=BatchSettings(concurrency=0)) as bridge:
        client = Client(bridge)
        ids = [(await client.create(request("one")))["id"] for _ in range(7)][::-1]
        first = (await client.ask("GET", query="limit=3")).json
        assert [batch["id"] for batch in first["data"]] == ids[:3]
        assert (first["has_more"], first["first_id"], first["last_id"]) == (True, ids[0], ids[2])
        third = (await client.ask("GET", query=f"limit=3&after_id={ids[5]}&beta=true")).json
        assert ([batch["id"] for batch in third["data"]], third["has_more"]) == (ids[6:], False)
        before = (await client.ask("GET", query=f"limit=3&before_id={ids[5]}")).json
        assert ([batch["id"] for batch in before["data"]], before["has_more"]) == (ids[2:5], True)
        unknown = await client.ask("GET", query="after_id=msgbatch_x")
        assert error_of(unknown)[2] == "after_id: no message batch has the id 'msgbatch_x'"
        both = await client.ask("GET", query=f"after_id={ids[0]}&before_id={ids[1]}")
        assert both.status == 400
        assert error_of(await client.ask("GET", query="limit=0"))[2] == (
            "limit: Input should be greater than or equal to 1"
        )


@pytest.mark.promise("batches.tenants")
async def test_another_workspaces_batches_are_not_there(tmp_path: Path) -> None:
    async with app(tmp_path, api_keys=KEYS) as bridge:
        one, two = (Client(bridge, {"x-api-key": key}) for key in KEYS)
        batch = await one.ended(await one.create(request("one")))
        for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/results")]:
            answer = await two.ask(method, f"/{batch['id']}{path}")
            assert error_of(answer) == (404, "not_found_error", f"Message Batch {batch['id']} not found.")
        assert (await two.ask("GET")).json["data"] == []
        assert (await Client(bridge, {"x-api-key": "none"}).ask("GET")).status == 401
        assert len(await one.results(batch)) == 1


@pytest.mark.promise("batches.restart")
async def test_a_batch_goes_on_with_the_next_server_and_its_results_stay(tmp_path: Path) -> None:
    async with app(tmp_path, batches=BatchSettings(concurrency=0)) as bridge:
        batch = await Client(bridge).create(request("one"), request("two"))
    async with app(tmp_path) as bridge:
        first = await Client(bridge).results(batch)
    async with app(tmp_path) as bridge:
        assert await Client(bridge).results(batch) == first


@pytest.mark.promise("batches.lifetime")
async def test_what_is_not_begun_within_a_day_expires_and_results_go_after_29_days(tmp_path: Path) -> None:
    clock = FixedClock()
    async with app(tmp_path, batches=BatchSettings(concurrency=0), clock=clock) as bridge:
        client = Client(bridge)
        batch = await client.create(request("one"))
        clock.time += DAY
        assert await client.results(batch) == {"one": {"type": "expired"}}
        ended = await client.get(batch)
        assert ended["request_counts"]["expired"] == 1
        assert ended["ended_at"] == "2026-02-03T02:40:00.000000Z"
    clock.time += 28 * DAY + 1
    async with app(tmp_path, clock=clock) as bridge:  # a start looks for what is past its time
        client = Client(bridge)
        async with asyncio.timeout(WAIT):
            while (archived := await client.get(batch))["archived_at"] is None:
                pass
        assert archived["results_url"] is None
        assert archived["request_counts"] == ended["request_counts"]
        answer = await client.ask("GET", f"/{batch['id']}/results")
        assert error_of(answer)[2] == f"Message Batch {batch['id']} has no available results."


@pytest.mark.promise("batches.give-way")
async def test_while_somebody_waits_nothing_of_a_batch_is_begun_where_there_is_one_place(tmp_path: Path) -> None:
    async with app(tmp_path, batches=BatchSettings(concurrency=1)) as bridge:
        client = Client(bridge)
        async with bridge.open("POST", "/v1/messages", params("slow", stream=True)) as waiting:
            await waiting.begin()
            batch = await client.create(request("one"))
            for _ in range(20):
                polled = await client.ask("GET", f"/{batch['id']}")
                assert "succeeded=0" in polled.headers["antiphon-batch-counts"]
        assert set(await client.results(batch)) == {"one"}


async def test_a_compressed_batch_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    body = gzip.compress(json.dumps({"requests": [request("one")]}).encode())
    async with app(tmp_path) as bridge:
        client = Client(bridge, {"content-encoding": "gzip"})
        answer = await client.ask("POST", "", body)
        assert answer.status == 200
        assert set(await client.results(answer.json)) == {"one"}
        for broken in (body[:-9], b"no gzip"):
            answer = await client.ask("POST", "", broken)
            assert error_of(answer)[2] == "content-encoding: the request body is not valid gzip"


@pytest.mark.promise("batches.large")
async def test_a_batch_over_its_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        over = {"content-length": str(256 * 1024 * 1024 + 1)}
        answer = await Client(bridge).ask("POST", "", b"{}", headers=over)
        assert error_of(answer) == (413, "request_too_large", "Request exceeds the maximum size")


async def test_a_batch_that_is_no_json_is_refused(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        client = Client(bridge)
        answer = await client.ask("POST", "", b"requests=1", headers={"content-type": "text/plain"})
        assert error_of(answer)[2] == "content-type: must be application/json, not text/plain"
        assert (await client.ask("POST", "", b"nope")).status == 400


async def test_models_say_that_they_are_offered_in_batches_where_they_are(tmp_path: Path) -> None:
    async with app(tmp_path) as bridge:
        answer = await bridge.ask("GET", "/v1/models/claude-opus-4-8")
        assert answer.json["capabilities"]["batch"] == {"supported": True}


async def test_a_server_that_keeps_nothing_has_no_batches() -> None:
    from antiphon.testing import scripted_app
    from tests.web.batches import SCRIPT

    async with scripted_app(SCRIPT) as bridge:
        assert (await Client(bridge).ask("POST", "", {"requests": [request("one")]})).status == 404
        answer = await bridge.ask("GET", "/v1/models/claude-opus-4-8")
        assert answer.json["capabilities"]["batch"] == {"supported": False}
