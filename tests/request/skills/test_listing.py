"""Which skills are asked for, and how versions are named."""

import pytest

from antiphon.errors import InvalidRequest
from antiphon.ports.files import Place
from antiphon.request.pages import cursor
from antiphon.request.skills.listing import (
    SkillListing,
    beta_version,
    skill_listing,
    version_listing,
    version_said,
)


def test_a_query_says_limit_place_and_source_and_what_it_does_not_know_is_passed_over() -> None:
    place = Place(7, "skill_a")
    query = [("beta", "true"), ("limit", "3"), ("page", cursor(place)), ("source", "custom")]
    assert skill_listing(query, beta=False) == SkillListing(3, place, "custom")
    assert version_listing(query) == SkillListing(3, place)
    assert skill_listing([("source", "")], beta=True) == SkillListing(20, None)


def test_the_beta_has_shorter_pages() -> None:
    assert skill_listing([("limit", "1000")], beta=False).limit == 1000
    with pytest.raises(InvalidRequest, match=r"less than or equal to 100$"):
        skill_listing([("limit", "101")], beta=True)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1759178010641129", 1759178010641129),
        ("skillver_01a", "skver_01a"),
        ("skver_01a", "skver_01a"),
        ("9" * 19, "9" * 19),
        ("٣", "٣"),
    ],
)
def test_a_version_goes_by_its_time_or_either_of_its_ids(said: str, meant: str | int) -> None:
    assert version_said(said) == meant


def test_what_is_no_id_of_ours_stays_as_it_is() -> None:
    assert [beta_version(id_) for id_ in ("skver_01a", "20251013")] == ["skillver_01a", "20251013"]
