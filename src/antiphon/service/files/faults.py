"""What clients are told when files cannot be kept or read now; the reason itself goes to the owner's log."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from antiphon.errors import ApiError
from antiphon.ports.stores import StoreError, StoreFull, StoreUnavailable
from antiphon.request.files.wording import no_room
from antiphon.service.faults import RETRY_AFTER_SECONDS

log = logging.getLogger(__name__)


def store_error(problem: StoreError) -> ApiError:
    """The API's error for what is wrong with a store."""
    log.error("files: %s: %s", type(problem).__name__, problem)
    match problem:
        case StoreFull():
            return no_room()
        case StoreUnavailable():
            return ApiError("overloaded_error", "Overloaded", headers={"retry-after": RETRY_AFTER_SECONDS})
        case _:
            return ApiError("api_error", "Internal server error")


@contextmanager
def told() -> Generator[None]:
    """A store's failures in the block are the API's errors."""
    try:
        yield
    except StoreError as problem:
        raise store_error(problem) from problem
