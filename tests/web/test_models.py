"""`GET /v1/models` and the small resources."""

import pytest

from antiphon.config import Settings
from antiphon.testing import Bridge, CountingEntropy
from antiphon.testing.app import SEALS
from antiphon.web.door import Door, Threshold
from tests.web.conftest import Starter


@pytest.mark.promise("models.list")
async def test_the_list_is_newest_first_and_pages_in_both_directions(bridge: Bridge) -> None:
    everything = (await bridge.ask("GET", "/v1/models", query="limit=1000")).json
    ids = [model["id"] for model in everything["data"]]
    dates = [model["created_at"] for model in everything["data"]]
    assert dates == sorted(dates, reverse=True)
    assert everything["has_more"] is False
    assert (everything["first_id"], everything["last_id"]) == (ids[0], ids[-1])
    walked: list[str] = []
    query = "limit=3"
    while True:
        page = (await bridge.ask("GET", "/v1/models", query=query)).json
        walked += [model["id"] for model in page["data"]]
        if not page["has_more"]:
            break
        query = f"limit=3&after_id={page['last_id']}"
    assert walked == ids
    back = (await bridge.ask("GET", "/v1/models", query=f"limit=2&before_id={ids[4]}")).json
    assert [model["id"] for model in back["data"]] == ids[2:4]
    assert back["has_more"] is True


@pytest.mark.promise("models.list")
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit: Input should be greater than or equal to 1"),
        ("limit=1001", "limit: Input should be less than or equal to 1000"),
        ("limit=ten", "limit: Input should be a valid integer, unable to parse string as an integer"),
        ("lifecycle=new", "lifecycle: Input should be 'active', 'deprecated' or 'retired'"),
        ("after_id=nobody", "after_id: no model has the id 'nobody'"),
        ("after_id=a&before_id=b", "after_id: only one of `after_id` and `before_id` may be given"),
    ],
)
async def test_wrong_queries_are_refused(bridge: Bridge, query: str, message: str) -> None:
    answer = await bridge.ask("GET", "/v1/models", query=query)
    assert (answer.status, answer.json["error"]["message"]) == (400, message)


@pytest.mark.promise("models.list")
async def test_the_list_can_be_narrowed_by_lifecycle(bridge: Bridge) -> None:
    active = (await bridge.ask("GET", "/v1/models", query="limit=1000&lifecycle=active")).json["data"]
    assert {model["lifecycle"] for model in active} == {"active"}


@pytest.mark.promise("models.describe")
async def test_a_model_is_described_truthfully(start: Starter) -> None:
    bridge = await start("[model]\nwindow = 4096\n")
    model = (await bridge.ask("GET", "/v1/models/claude-sonnet-4-5")).json
    assert model["id"] == "claude-sonnet-4-5-20250929"
    assert model["type"] == "model"
    assert "scripted" in model["display_name"].lower()
    own = (await bridge.ask("GET", "/v1/models/scripted")).json
    assert model["max_input_tokens"] == own["max_input_tokens"] == 4096
    assert model["max_tokens"] == 64_000
    assert model["capabilities"]["image_input"] == {"supported": True}
    assert model["capabilities"]["structured_outputs"] == {"supported": True}
    thinking = model["capabilities"]["thinking"]
    assert thinking["supported"] is True
    assert {kind for kind, told in thinking["types"].items() if told["supported"]} == {"enabled", "disabled"}
    assert model["capabilities"]["effort"]["supported"] is False
    opus = (await bridge.ask("GET", "/v1/models/claude-opus-4-5")).json["capabilities"]["effort"]
    assert (opus["supported"], opus["high"], opus["max"]) == (True, {"supported": True}, {"supported": False})


@pytest.mark.promise("errors.unknown-model")
async def test_an_unknown_model_is_not_found(bridge: Bridge) -> None:
    answer = await bridge.ask("GET", "/v1/models/nobody")
    assert (answer.status, answer.json["error"]["message"]) == (404, "model: nobody")


@pytest.mark.promise("models.old-names")
@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-20250514",
        "claude-opus-4-0",
        "claude-3-5-sonnet-20241022",
        "claude-3-haiku-20240307",
        "claude-2.1",
    ],
)
async def test_a_name_that_its_maker_has_retired_is_answered_and_says_so(bridge: Bridge, name: str) -> None:
    body = {"model": name, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
    assert (await bridge.post(body)).status == 200
    assert (await bridge.ask("GET", f"/v1/models/{name}")).json["lifecycle"] == "retired"


@pytest.mark.promise("models.unknown-name-log")
async def test_the_log_says_once_a_name_how_to_add_it(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    body = {"model": "gpt\n2", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
    for _ in range(3):
        answer = await bridge.post(body)
        assert (answer.status, answer.json["error"]["message"]) == (404, "model: gpt\n2")
    await bridge.ask("GET", "/v1/models/nobody")
    told = [record.getMessage() for record in caplog.records if "[aliases]" in record.getMessage()]
    assert len(told) == 2
    assert r'"gpt\n2" = "' in told[0]
    assert '"nobody" = "' in told[1]


@pytest.mark.promise("models.unknown-name-log")
async def test_clients_cannot_fill_the_log_with_names(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    for n in range(400):
        await bridge.ask("GET", f"/v1/models/nobody-{n}")
    await bridge.ask("GET", f"/v1/models/{'x' * 2000}")
    assert sum("[aliases]" in record.getMessage() for record in caplog.records) == 256


@pytest.mark.promise("health.truthful")
async def test_a_door_that_is_not_open_yet_says_so() -> None:
    bridge = Bridge(Door(CountingEntropy(), Threshold.of(Settings(), SEALS.name)))
    health = await bridge.ask("GET", "/health")
    assert health.status == 503
    answer = await bridge.ask("GET", "/v1/models")
    assert (answer.status, answer.json["error"]["type"]) == (529, "overloaded_error")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.promise("clients.head-root")
async def test_clients_that_knock_are_answered(bridge: Bridge) -> None:
    head = await bridge.ask("HEAD", "/", headers={"anthropic-version": None, "x-api-key": None})
    assert head.status == 200
