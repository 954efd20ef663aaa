"""How much of one request's files is held at a time."""

from antiphon.dialogue.content import Text
from antiphon.dialogue.media import Image
from antiphon.ports.media import Description, Pdf
from antiphon.request.media.wanted import Outcome, bytes_shown, without_pictures
from antiphon.request.media.wording import MOST_BYTES_SHOWN


class Room:
    """The room that the pictures and text files of one request may take together.

    Once they do not fit, the request will be refused in any case, and no more of them is kept: many large PDFs in
    one body would be gigabytes otherwise. What the rest is judged by stays, so that the answer does not depend on
    which of them was read first.
    """

    def __init__(self, most: int = MOST_BYTES_SHOWN) -> None:
        self._left = most

    @property
    def is_full(self) -> bool:
        """Whether there is more than fits."""
        return self._left < 0

    def take(self, read: Outcome, times: int) -> Outcome:
        """What was read of a file that the request shows so many times, as far as it is kept."""
        if not isinstance(read, Image | Description | Pdf | Text):
            return read
        self._left -= times * bytes_shown(read)
        return without_pictures(read) if self.is_full else read
