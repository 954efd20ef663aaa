"""Skills as archives: what is taken in, and what never is."""

import contextlib
import io
import stat
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.ports.skills import SkillFile
from antiphon.request.skills.archives import is_zip, unzipped, zipped
from antiphon.request.skills.bundle import bundle_of
from antiphon.request.skills.wording import MOST_BYTES, MOST_FILES

MANIFEST = b"---\nname: my-skill\ndescription: Does it.\n---\n"
FILES = {"SKILL.md": SkillFile(MANIFEST), "scripts/run": SkillFile(b"#!/bin/sh\n", executable=True)}


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", kind) as opened:
        for name, data in entries:
            opened.writestr(name, data, kind)
    return made.getvalue()


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidRequest) as refused:
        bundle_of(unzipped(data), zipped=True)
    return refused.value.message


def test_what_is_zipped_comes_back_with_its_permissions_and_the_same_files_make_the_same_bytes() -> None:
    data = zipped("my-skill", FILES)
    assert is_zip(data)
    assert bundle_of(unzipped(data), zipped=True).files == FILES
    assert zipped("my-skill", dict(reversed(FILES.items()))) == data


def test_folders_of_an_archive_are_no_files() -> None:
    data = archive(("my-skill/", b""), ("my-skill/SKILL.md", MANIFEST))
    assert [path for path, _ in unzipped(data)] == ["my-skill/SKILL.md"]


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644, stat.S_IFSOCK])
def test_links_and_devices_are_refused(mode: int) -> None:
    data = archive(("SKILL.md", MANIFEST), (entry("passwords", mode), b"/etc/passwd"))
    assert "links and special files are not allowed" in refusal(data)


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "a\\b", "C:/a"])
def test_an_archive_that_leads_out_is_refused(name: str) -> None:
    assert "invalid file path" in refusal(archive(("SKILL.md", MANIFEST), (name, b"")))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = archive(("SKILL.md", MANIFEST), ("zeros", bytes(MOST_BYTES)))
    assert len(bomb) < 100_000
    assert "30 MB" in refusal(bomb)


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    bomb = archive(("SKILL.md", MANIFEST), ("zeros", bytes(MOST_BYTES)))
    assert refusal(bomb.replace(struct.pack("<I", MOST_BYTES), struct.pack("<I", 10))).startswith("Skill upload")


def test_too_many_entries_are_refused_before_they_are_read() -> None:
    names = [(f"{n}", b"") for n in range(MOST_FILES)]
    assert "too many files" in refusal(archive(("SKILL.md", MANIFEST), *names))
    assert "too many files" in refusal(b"PK\x03\x04" + b"PK\x01\x02" * 20_000)


def test_what_is_encrypted_or_rarely_compressed_is_refused() -> None:
    assert "compression" in refusal(archive(("SKILL.md", MANIFEST), kind=zipfile.ZIP_LZMA))
    plain = archive(("SKILL.md", MANIFEST), kind=zipfile.ZIP_STORED)
    at = plain.index(b"PK\x01\x02") + 8
    assert "encrypted" in refusal(plain[:at] + b"\x01\x00" + plain[at + 2 :])


def test_two_entries_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = archive(("SKILL.md", MANIFEST), ("SKILL.md", b"other"))
    assert "another file has the same path" in refusal(data)


def test_a_name_cut_by_a_zero_is_seen_whole() -> None:
    data = archive(("SKILL.md", MANIFEST), ("a.md?x", b"")).replace(b"a.md?x", b"a.md\0x")
    assert "control characters" in refusal(data)


def _unflagged(data: bytes) -> bytes:
    return archive(("SKILL.md", MANIFEST), ("xx.md", b"")).replace(b"xx.md", data + b".md")


def test_names_in_utf_8_are_read_without_the_flag_and_others_are_refused() -> None:
    paths = [path for path, _ in unzipped(_unflagged("é".encode()))]
    assert paths == ["SKILL.md", "é.md"]
    assert "encoded as UTF-8" in refusal(_unflagged(b"\x82\x83"))


def test_a_damaged_archive_is_refused() -> None:
    whole = archive(("SKILL.md", MANIFEST + bytes(range(256)) * 4))
    cut, overwritten = whole[: len(whole) // 2], whole[:60] + bytes(20) + whole[80:]
    for damaged in (cut, overwritten, b"PK\x03\x04", b"PK\x05\x06" + bytes(10)):
        assert refusal(damaged).startswith("Skill upload is not a valid zip archive")


@given(st.integers(0, 300), st.binary(min_size=1, max_size=8))
def test_no_byte_put_anywhere_does_more_than_refuse(at: int, data: bytes) -> None:
    whole = zipped("my-skill", FILES)
    with contextlib.suppress(InvalidRequest):
        bundle_of(unzipped(whole[:at] + data + whole[at + len(data) :]), zipped=True)
