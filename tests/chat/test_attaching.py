"""Files as blocks of a message."""

from pathlib import Path

import pytest

from antiphon.chat.attaching import MOST_BYTES, attached, block_of, pasted
from antiphon.chat.problems import ChatError


@pytest.mark.parametrize(
    ("data", "type_", "media"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "image", "image/png"),
        (b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
        (b"GIF89a", "image", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image", "image/webp"),
        (b"%PDF-1.7", "document", "application/pdf"),
        ("Grüße".encode(), "document", "text/plain"),
    ],
)
def test_a_file_is_what_is_in_it(data: bytes, type_: str, media: str, tmp_path: Path) -> None:
    (tmp_path / "thing.xyz").write_bytes(data)
    block = attached(tmp_path / "thing.xyz")
    assert (block["type"], block["source"]["media_type"]) == (type_, media)
    assert block.get("title") == ("thing.xyz" if type_ == "document" else None)


@pytest.mark.parametrize("data", [b"", b" \n", b"\x00\x01", b"\xff\xfe\x00"])
def test_what_nobody_can_read_is_refused(data: bytes) -> None:
    with pytest.raises(ChatError):
        block_of(data)


def test_a_file_that_no_request_could_carry_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "big.png").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ChatError, match="larger than 32 MB"):
        attached(tmp_path / "big.png")


@pytest.mark.promise("chat.pictures")
def test_paths_that_are_pasted_are_files(tmp_path: Path) -> None:
    one, two, text = tmp_path / "a b.png", tmp_path / "c.pdf", tmp_path / "d.txt"
    for path in (one, two, text):
        path.touch()
    escaped = str(one).replace(" ", "\\ ")
    assert pasted(f"{escaped} {two}\n") == [one, two]
    assert pasted(f"'{one}'") == [one]
    assert pasted(one.as_uri()) == [one]
    for other in (str(text), "c.pdf", f"look at {two}", f"{two}\n{two}", "it's", str(tmp_path / "gone.png"), ""):
        assert pasted(other) == []
