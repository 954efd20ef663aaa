"""The envelope of a batch: what of it is judged before the batch is taken, and in which words."""

import json
from typing import Any

import pytest

from antiphon.errors import ApiError
from antiphon.request.batches.envelope import MOST_REQUESTS, Envelope, Row

MOST = 100_000


def read(*requests: Any) -> list[Row]:
    envelope = Envelope(MOST)
    rows = list(envelope.feed(json.dumps({"requests": requests}).encode()))
    envelope.end()
    assert envelope.count == len(rows)
    return rows


def test_what_a_request_asks_for_is_kept_as_it_came() -> None:
    body = b'{"requests": [{"params": {"a" : 1.50, "b":"\\u00e9"}, "custom_id":"x"}]}'
    envelope = Envelope(MOST)
    (row,) = envelope.feed(body)
    assert (row.custom_id, row.params) == ("x", b'{"a" : 1.50, "b":"\\u00e9"}')


def test_what_is_wrong_inside_of_a_request_is_not_judged_yet() -> None:
    assert [row.custom_id for row in read({"custom_id": "x", "params": {"nonsense": []}})] == ["x"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("text", "requests.1: Input should be an object"),
        ({"custom_id": "two", "params": []}, "requests.1.params: Input should be an object"),
        ({"custom_id": "two", "params": {}, "x": 1}, "requests.1.x: Extra inputs are not permitted"),
        ({"custom_id": None, "params": {}}, "requests.1.custom_id: Input should be a valid string"),
        (
            {"custom_id": "é", "params": {}},
            "requests.1.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
        ),
    ],
)
def test_the_first_thing_that_is_wrong_is_told_with_its_place(request_: Any, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        read({"custom_id": "one", "params": {}}, request_)
    assert caught.value.message == message


@pytest.mark.parametrize("item", [b'{"custom_id":"x","params":{]}', b"nul", b'{"custom_id":"\\ud800","params":{}}'])
def test_a_request_that_is_no_json_is_refused(item: bytes) -> None:
    with pytest.raises(ApiError, match=r"^The request body is not valid JSON: requests\.0"):
        list(Envelope(MOST).feed(b'{"requests":[' + item + b"]}"))


@pytest.mark.promise("batches.large")
def test_a_batch_has_at_most_so_many_requests() -> None:
    envelope = Envelope(MOST)
    list(envelope.feed(b'{"requests":['))
    for number in range(MOST_REQUESTS):
        list(envelope.feed(b'{"custom_id":"%d","params":{}},' % number))
    with pytest.raises(ApiError, match="requests: List should have at most 100000 items after validation"):
        list(envelope.feed(b'{"custom_id":"more","params":{}}]}'))
