"""Which skills or versions a client asks to be listed, and how it names a version.

Source: API reference, Skills, and its beta; official SDK, pagination.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from antiphon.errors import InvalidRequest
from antiphon.ports.files import Place
from antiphon.request.pages import MOST_LISTED, limit_of, place_of

LATEST: Final = "latest"

VERSION: Final = "skver_"

MOST_BETA: Final = 100

_BETA_VERSION: Final = "skillver_"
_MOST_DIGITS: Final = 18

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SkillListing:
    """So many behind a place, of one source, or of all."""

    limit: int
    page: Place | None
    source: Literal["custom", "anthropic"] | None = None


def skill_listing(query: Query, *, beta: bool) -> SkillListing:
    """What a query asks for of skills; raises `InvalidRequest`."""
    said = {name: value for name, value in reversed(query) if value}
    source = said.get("source")
    if not (source is None or source == "custom" or source == "anthropic"):
        raise InvalidRequest("source: Input should be 'custom' or 'anthropic'")
    limit = limit_of(said.get("limit"), MOST_BETA if beta else MOST_LISTED)
    return SkillListing(limit, _page(said, "skills"), source)


def version_listing(query: Query) -> SkillListing:
    """What a query asks for of a skill's versions; raises `InvalidRequest`."""
    said = {name: value for name, value in reversed(query) if value}
    return SkillListing(limit_of(said.get("limit")), _page(said, "versions"))


def version_said(said: str) -> str | int:
    """A version as a client names it: by either of its ids, or by its time."""
    if said.isascii() and said.isdecimal() and len(said) <= _MOST_DIGITS:
        return int(said)
    return VERSION + said.removeprefix(_BETA_VERSION) if said.startswith(_BETA_VERSION) else said


def beta_version(id_: str) -> str:
    """The id of a version as clients of the beta know it."""
    return _BETA_VERSION + id_.removeprefix(VERSION) if id_.startswith(VERSION) else id_


def _page(said: dict[str, str], of: str) -> Place | None:
    return place_of(said["page"], of) if "page" in said else None
