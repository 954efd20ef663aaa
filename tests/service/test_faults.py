"""What clients are told when an engine fails."""

import pytest

from antiphon.errors import EngineDied, EngineFault, EngineFull, EngineNotBegun, EngineUnavailable
from antiphon.service.faults import engine_error


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
