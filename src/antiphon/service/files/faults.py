"""What clients are told when files cannot be kept or read now; the reason itself goes to the owner's log."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from antiphon.errors import ApiError
from antiphon.ports.stores import StoreError, StoreFull
from antiphon.request.files.wording import no_room
from antiphon.service import faults

log = logging.getLogger(__name__)


def store_error(problem: StoreError) -> ApiError:
    """The API's error for what is wrong with a store. That there is no room is a client's affair: it may delete."""
    if isinstance(problem, StoreFull):
        log.error("stores: %s", problem)
        return no_room()
    return faults.store_error(problem)


@contextmanager
def told() -> Generator[None]:
    """A store's failures in the block are the API's errors."""
    try:
        yield
    except StoreError as problem:
        raise store_error(problem) from problem
