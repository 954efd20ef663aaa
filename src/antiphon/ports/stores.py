"""What goes wrong with rows and bytes that are kept. Each has a sentence for the owner's log, never for a client."""


class StoreError(Exception):
    """What is kept cannot be read or written now. Its text is for the owner's log."""


class StoreFull(StoreError):  # noqa: N818 - reads as what happened
    """There is no room left where it should be kept. What was kept before is there as ever."""


class StoreUnavailable(StoreError):  # noqa: N818
    """The store does not answer, or somebody else holds it for too long. It may answer again later."""


class StoreUnfit(StoreError):  # noqa: N818
    """The store answers, and cannot be used by this version or with these settings; the text says what to do."""


class ObjectMissing(StoreError):  # noqa: N818
    """Nothing is kept under the key."""
