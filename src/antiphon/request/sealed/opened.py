"""All that a client carries for this server under seal, opened at once.

The order is that of the errors: the record of a summary, then thoughts, then the texts of searches.
"""

from typing import Final

from msgspec import Struct

from antiphon.config import Foreign
from antiphon.request.case import Case, Found, Issue
from antiphon.request.sealed.compactions import NOTHING, Record, open_record
from antiphon.request.sealed.found import NOTHING_FOUND, open_found
from antiphon.request.sealed.thoughts import NO_THOUGHTS, Thoughts, read
from antiphon.seals import Seals


class Opened(Struct, frozen=True):
    """What the seals of a request hold. `record`: what the summary kept that the conversation begins with.

    `found`: the texts of the search results that came back.
    """

    thoughts: Thoughts = NO_THOUGHTS
    record: Record = NOTHING
    found: Found = NOTHING_FOUND


NOTHING_SEALED: Final = Opened()
"""That of a request which brings nothing back."""


def open_sealed(case: Case, seals: Seals, model: str, *, foreign: Foreign = "refuse") -> Issue | Opened:
    """What the seals of a request hold that the ladder found nothing wrong with, or the first that is wrong.

    `model`: the binding name of the model that is to read them. `foreign`: what becomes of seals that do not open.
    """
    record = open_record(case, seals)
    if isinstance(record, Issue):
        return record
    thoughts = read(case, seals, model, foreign=foreign, before=record.prefix)
    if isinstance(thoughts, Issue):
        return thoughts
    found = open_found(case, seals, foreign=foreign)
    return found if isinstance(found, Issue) else Opened(thoughts, record, found)
