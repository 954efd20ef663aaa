"""The names of uploaded files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.request.files.names import kept_name


@pytest.mark.promise("files.names")
@pytest.mark.parametrize(
    ("mime_type", "name"),
    [
        ("application/pdf", "unnamed.pdf"),
        ("image/jpeg", "unnamed.jpg"),
        ("text/csv", "unnamed.csv"),
        ("application/octet-stream", "unnamed"),
        ("made/up", "unnamed"),
    ],
)
def test_a_file_without_a_name_is_called_by_its_type(mime_type: str, name: str) -> None:
    assert kept_name("", mime_type) == name


@pytest.mark.promise("files.names")
def test_255_characters_are_a_name_and_256_are_none() -> None:
    assert kept_name("é" * 255, "text/plain") == "é" * 255
    with pytest.raises(InvalidRequest, match="at most 255 characters"):
        kept_name("é" * 256, "text/plain")


@pytest.mark.promise("files.names")
@given(st.text(max_size=300))
def test_no_name_that_is_kept_leads_anywhere(sent: str) -> None:
    try:
        name = kept_name(sent, "text/plain")
    except InvalidRequest:
        return
    assert 1 <= len(name) <= 255
    assert name not in (".", "..")
    assert not set(name) & (set('<>:"|?*\\/') | {chr(code) for code in range(32)})
