"""What travels of batches."""

import pytest

from antiphon.errors import ApiError, InvalidRequest
from antiphon.wire.batches import errored, line
from antiphon.wire.moments import micros, moment


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1_727_203_044.100435, "2024-09-24T18:37:24.100435Z"),
        (0.0, "1970-01-01T00:00:00.000000Z"),
        (1_770_000_000.999999, "2026-02-02T02:40:00.999999Z"),
    ],
)
def test_a_moment_is_told_to_the_microsecond(seconds: float, text: str) -> None:
    assert moment(micros(seconds)) == text


@pytest.mark.promise("batches.one-bad-row")
def test_an_error_is_told_in_its_whole_envelope_with_its_code() -> None:
    error = InvalidRequest("no", details={"error_code": "x"})
    assert errored(error) == (
        b'{"type":"errored","error":{"type":"error","error":{"details":{"error_code":"x","error_visibility":'
        b'"user_facing"},"type":"invalid_request_error","message":"no"},"request_id":null}}'
    )


def test_a_line_is_one_object() -> None:
    assert line("a-b", errored(ApiError("api_error", "a\nb"))).count(b"\n") == 1
