"""What people may call a skill."""

import pytest

from antiphon.errors import InvalidRequest
from antiphon.request.skills.naming import LONGEST_DISPLAY_NAME, display_name


def test_a_name_is_any_line_and_none_where_it_is_blank() -> None:
    assert display_name(" Zusätze 😀 ".encode()) == "Zusätze 😀"
    assert display_name(b"  ") is None
    assert display_name("ä".encode() * LONGEST_DISPLAY_NAME) == "ä" * LONGEST_DISPLAY_NAME


@pytest.mark.parametrize("said", [b"\xff", b"a" * 256, b"a\nb", b"a\0"], ids=["bytes", "long", "two lines", "zero"])
def test_what_cannot_be_kept_or_shown_is_refused(said: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^display_name: "):
        display_name(said)
