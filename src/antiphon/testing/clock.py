"""A clock for tests."""

from dataclasses import dataclass


@dataclass(slots=True)
class FixedClock:
    """Stands still at `time`, in seconds since the Unix epoch, until a test sets it."""

    time: float = 1_770_000_000.0

    def now(self) -> float:
        """The time that is set."""
        return self.time
