"""The port of the network: one file from another host, or why it did not come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol


class FetchFault(Exception):  # noqa: N818
    """A file could not be had from its URL. `message` is the API's wording, for the client; `reason` is for the
    owner's log and names what the client must not learn, such as inner addresses."""

    message: ClassVar[str] = "Unable to download the file. Please verify the URL and try again."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotHttps(FetchFault):
    """The URL is of another scheme than https."""

    message = "Only HTTPS URLs are supported."


class NotAllowed(FetchFault):
    """The server does not go there: not a URL, not a public address, a port or a name that is not for it."""


class RobotsDisallow(FetchFault):
    """The host asks not to be read."""

    message = "This URL is disallowed by the website's robots.txt file."


class Unreachable(FetchFault):
    """Nothing whole came: no such host, no answer in time, a broken one, or a status other than success."""


class Throttled(Unreachable):
    """The host has had too many questions of late (status 429)."""


class TooLarge(FetchFault):
    """The file is larger than the caller takes."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from another host. `url`: where it was in the end. `media_type`: as declared there, in lower case and
    without parameters, or empty; `charset` likewise. Nobody has looked into `data`."""

    url: str
    media_type: str
    charset: str
    data: bytes


class Fetcher(Protocol):
    """The way to files of other hosts."""

    async def fetch(self, url: str, *, max_bytes: int, accept: Sequence[str] = ("*/*",)) -> Fetched:
        """The file at the URL, at most `max_bytes` long (also unpacked), in bounded time.

        `accept`: the media types to ask for; what comes may be of another. Raises kinds of `FetchFault` only.
        """
        ...
