"""Message batches: made, watched, read, listed, taken away."""

import json
import time
from typing import Any, Final

from antiphon.conformance.api import Api, well
from antiphon.conformance.check import LEFT_OUT, Failed, Row, Subject, Trial, count_of, dictionary, expect, text_of
from antiphon.conformance.subjects.errors import refusal
from antiphon.conformance.subjects.models import items, moment

SUBJECT: Final = Subject("batches", "Message Batches", needs="batches")
check = SUBJECT.check
PATH: Final = "/v1/messages/batches"
KEYS: Final = (
    *("id", "type", "processing_status", "request_counts", "created_at", "expires_at"),
    *("ended_at", "cancel_initiated_at", "archived_at", "results_url"),
)
COUNTS: Final = ("processing", "succeeded", "errored", "canceled", "expired")
PATIENCE: Final = 300
_PAUSE: Final = 0.5


def rows(api: Api) -> list[dict[str, Any]]:
    """A request that is right, and one that is not."""
    return [
        {"custom_id": "right", "params": api.request()},
        {"custom_id": "wrong", "params": api.request({"max_tokens": "many"})},
    ]


def made(api: Api) -> dict[str, Any]:
    """The batch of this run, as it was when it was made."""
    return well(api.look("POST", PATH, {"requests": rows(api)}))


def ended(api: Api) -> dict[str, Any]:
    """The batch when it has ended."""
    path = f"{PATH}/{made(api)['id']}"
    for _ in range(int(PATIENCE / _PAUSE)):
        seen = well(api.ask("GET", path))
        if seen.get("processing_status") == "ended":
            return seen
        time.sleep(_PAUSE)
    raise Failed(f"it has not ended in {PATIENCE} seconds")


def results(api: Api) -> dict[str, dict[str, Any]]:
    """The results, by the ids of their requests."""
    path = f"{PATH}/{ended(api)['id']}/results"
    answer = api.look("GET", path)
    expect(answer.status == 200, f"the status is {answer.status}: {answer.short}")
    found = [dictionary(json.loads(line)) for line in answer.body.decode().splitlines() if line]
    return {str(row.get("custom_id")): dictionary(row.get("result")) for row in found}


@check("keys", "A batch has all its keys, null where there is nothing to tell.")
def _(api: Api) -> None:
    missing = [name for name in KEYS if name not in made(api)]
    expect(not missing, f"{missing} are absent")


@check("type", "A batch is of the type message_batch.")
def _(api: Api) -> None:
    expect(made(api).get("type") == "message_batch", f"type is {made(api).get('type')!r}")


@check("id", "A batch has an id.")
def _(api: Api) -> None:
    text_of(made(api).get("id"), "id")


@check("begins", "A batch begins in progress, without results.")
def _(api: Api) -> None:
    said = (made(api).get("processing_status"), made(api).get("results_url"))
    expect(said == ("in_progress", None), f"processing_status and results_url are {said}")


@check("expires", "A batch expires 24 hours after it was made.")
def _(api: Api) -> None:
    lasts = moment(made(api).get("expires_at"), "expires_at") - moment(made(api).get("created_at"), "created_at")
    expect(lasts.total_seconds() == 24 * 3600, f"it lasts {lasts}")


@check("counts", "The counts of a batch add up to its requests.")
def _(api: Api) -> None:
    for seen in (made(api), ended(api)):
        counts = dictionary(seen.get("request_counts"))
        total = sum(count_of(counts.get(name), f"request_counts.{name}") for name in COUNTS)
        expect(total == 2, f"they are {counts}")


@check("ended", "A batch that has ended tells when, and where its results are.")
def _(api: Api) -> None:
    moment(ended(api).get("ended_at"), "ended_at")
    text_of(ended(api).get("results_url"), "results_url")


@check("succeeded", "A request that is right has a message as its result.")
def _(api: Api) -> None:
    result = results(api).get("right", {})
    expect(result.get("type") == "succeeded", f"it is {result}")
    expect(dictionary(result.get("message")).get("type") == "message", f"it is {result}")


@check("errored", "A request that is wrong has an error as its result, and the batch is taken.")
def _(api: Api) -> None:
    result = results(api).get("wrong", {})
    expect(result.get("type") == "errored", f"it is {result}")
    error = dictionary(dictionary(result.get("error")).get("error"))
    expect(error.get("type") == "invalid_request_error", f"it is {result}")


@check("all-results", "Each request has one result.")
def _(api: Api) -> None:
    expect(sorted(results(api)) == ["right", "wrong"], f"there are {sorted(results(api))}")


@check("listed", "A batch is listed.")
def _(api: Api) -> None:
    ids = [item.get("id") for item in items(well(api.ask("GET", f"{PATH}?limit=100")))]
    expect(made(api)["id"] in ids, "it is not")


@check("unknown", "A batch that there is not is not found.")
def _(api: Api) -> None:
    refusal(api.look("GET", f"{PATH}/msgbatch_00000000000000000000"), 404, "not_found_error")


_WRONG: Final[tuple[Row, ...]] = (
    ("empty", "A batch of no requests is refused.", {"requests": []}),
    ("missing", "A batch without requests is refused.", {}),
    ("no-id", "A request without custom_id is refused.", {"requests": [{"params": {}}]}),
    ("twice", "Two requests of one custom_id are refused.", {"requests": [{"custom_id": "a", "params": {}}] * 2}),
    ("extra", "An unknown key of a batch is refused.", {"requests": [{"custom_id": "a", "params": {}}], "mood": 1}),
)


def _refuses(body: dict[str, Any]) -> Trial:
    return lambda api: refusal(api.look("POST", PATH, body), 400, "invalid_request_error")


for _name, _sentence, _body in _WRONG:
    SUBJECT.add(f"refused-{_name}", _sentence, _refuses(_body))


@check("deleted", "A batch that has ended can be deleted, and is not found then.")
def _(api: Api) -> None:
    path = f"{PATH}/{ended(api)['id']}"
    gone = well(api.ask("DELETE", path, headers={"content-type": LEFT_OUT}))
    expect(gone.get("type") == "message_batch_deleted", f"type is {gone.get('type')!r}")
    expect(api.ask("GET", path).status == 404, "it is still there")
