"""What clients are told when an engine fails, or a store."""

import pytest

from antiphon.errors import EngineDeclined, EngineDied, EngineFault, EngineFull, EngineNotBegun, EngineUnavailable
from antiphon.ports.stores import ObjectMissing, StoreError, StoreFull, StoreUnavailable, StoreUnfit
from antiphon.service.faults import engine_error, store_error


@pytest.mark.parametrize(
    ("fault", "status", "later"),
    [
        (EngineUnavailable("restarting"), 529, "2"),
        (EngineNotBegun("gone"), 529, "2"),
        (EngineFull("64 wait", retry_after=7.2), 529, "8"),
        (EngineFull("64 wait", retry_after=0.0), 529, "1"),
        (EngineDied("killed"), 500, None),
        (EngineFault("no"), 500, None),
    ],
)
def test_an_engines_fault_is_the_documented_error_and_tells_nothing_of_the_engine(
    fault: EngineFault, status: int, later: str | None
):
    error = engine_error(fault)
    assert error.status == status
    assert error.headers.get("retry-after") == later
    assert str(fault) not in error.message


def test_what_an_engine_cannot_do_for_what_stands_in_the_request_is_said_to_its_sender():
    error = engine_error(EngineDeclined("messages: not with this text"))
    assert (error.status, error.message) == (400, "messages: not with this text")


@pytest.mark.promise("stores.errors")
@pytest.mark.parametrize(
    ("problem", "status", "type_", "later"),
    [
        (StoreUnavailable("db.lan does not answer"), 529, "overloaded_error", "2"),
        (StoreFull("no room on /var"), 500, "api_error", None),
        (ObjectMissing("files/one"), 500, "api_error", None),
        (StoreUnfit("newer"), 500, "api_error", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, StoreError) else "",
)
def test_a_store_that_fails_is_a_documented_error_and_the_reason_is_the_owners(
    problem: StoreError, status: int, type_: str, later: str | None, caplog: pytest.LogCaptureFixture
):
    error = store_error(problem)
    assert (error.status, error.type) == (status, type_)
    assert error.headers.get("retry-after") == later
    assert str(problem) not in error.message
    assert f"stores: {type(problem).__name__}: {problem}" in caplog.text
