"""How long files live."""

import pytest

from antiphon.errors import InvalidRequest
from antiphon.request.files.expiry import expires_in


@pytest.mark.promise("files.expiry")
@pytest.mark.parametrize(("said", "seconds"), [(b"3600", 3600), (b" 7776000\n", 7_776_000), (b"003601", 3601)])
def test_seconds_are_read_as_forms_write_them(said: bytes, seconds: int) -> None:
    assert expires_in(said) == seconds


@pytest.mark.promise("files.expiry")
@pytest.mark.parametrize(
    "said", [b"3599", b"7776001", b"", b"3600.5", b"1e4", "４０００".encode(), b"\xff", b"9" * 40]
)
def test_other_lifetimes_are_refused(said: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^expires_in_seconds: Input should be"):
        expires_in(said)
