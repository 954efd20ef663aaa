"""States on the disk: what can go wrong there, and that nothing else than what was written comes back."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from antiphon.engines.llamacpp.kept.files import (
    ABANDONED,
    CHUNK,
    MARKS,
    SUFFIX,
    DamagedError,
    Files,
    all_marks,
    prepare,
    states_in,
)
from antiphon.ports.engine import Keep

MODEL, FORM, TOKENS = "a1" * 32, "form", tuple(range(500))
SIZE: Final = CHUNK + 12_345
LATER: Final = 4_000_000_000.0
MARK: Final = Keep(400, b"key", 300, LATER)
LIMIT: Final = 64 * 1024 * 1024


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(os.urandom(1024) * (SIZE // 1024) + b"x" * (SIZE % 1024))
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    prepare(tmp_path / "states")
    return tmp_path / "states"


def written(files: Files, source: Path, tokens: tuple[int, ...] = TOKENS, form: str = FORM) -> str:
    with source.open("rb") as file:
        return files.write(form, tokens, file.fileno(), SIZE, [MARK])


def read(files: Files, name: str, tokens: tuple[int, ...] = TOKENS, form: str = FORM) -> bytes:
    with tempfile.TemporaryFile() as file:
        files.read(name, form, tokens, file.fileno())
        return file.read()


@pytest.mark.promise("cache.kept-between-starts")
def test_what_was_written_is_found_by_the_next_process_and_comes_back(place: Path, source: Path) -> None:
    name = written(Files(place, LIMIT, MODEL), source)
    after = Files(place, LIMIT, MODEL)
    (found,) = after.scan(0.0)
    assert (found.name, found.form, found.tokens, found.size, found.marks) == (name, FORM, TOKENS, SIZE, (MARK,))
    assert read(after, name) == source.read_bytes()
    assert list(all_marks(place)) == [MARK]


@pytest.mark.promise("cache.kept-private")
def test_only_this_user_may_read_them(place: Path, source: Path) -> None:
    written(Files(place, LIMIT, MODEL), source)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o600}


@pytest.mark.promise("cache.kept-faults")
@pytest.mark.parametrize("at", [0, 9, 30, 60, 200, 1500, 3000, CHUNK, -1])
def test_a_file_with_one_wrong_byte_is_not_used(place: Path, source: Path, at: int) -> None:
    files = Files(place, LIMIT, MODEL)
    path = place / written(files, source)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises((DamagedError, ValueError, OSError)):
        read(files, path.name)


@pytest.mark.promise("cache.kept-faults")
@pytest.mark.parametrize("length", [0, 5, 40, 100, 2100, CHUNK, -1])
def test_a_file_that_is_cut_short_is_not_used_and_goes_at_the_next_start(
    place: Path, source: Path, length: int
) -> None:
    files = Files(place, LIMIT, MODEL)
    path = place / written(files, source)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedError):
        read(files, path.name)
    assert files.scan(0.0) == []
    assert list(states_in(place)) == []


@pytest.mark.promise("cache.kept-faults")
def test_a_file_of_another_model_of_other_tokens_or_of_another_tenant_is_not_used(place: Path, source: Path) -> None:
    other, files = Files(place, LIMIT, "b2" * 32), Files(place, LIMIT, MODEL)
    theirs = place / written(other, source)
    mine = place / files.name_of(FORM, TOKENS)
    theirs.rename(mine)
    theirs.with_suffix(MARKS).rename(mine.with_suffix(MARKS))
    with pytest.raises(DamagedError):
        read(files, mine.name)
    assert files.scan(0.0) == []
    name = written(files, source)
    for tokens, form in (((1, *TOKENS), FORM), (TOKENS, "another")):
        with pytest.raises(DamagedError):
            read(files, name, tokens, form)
    # Under another name it is not what the name says.
    (place / name).rename(place / files.name_of(FORM, (7,)))
    (place / name).with_suffix(MARKS).rename((place / files.name_of(FORM, (7,))).with_suffix(MARKS))
    assert files.scan(0.0) == []


@pytest.mark.promise("cache.kept-faults")
def test_two_models_share_a_directory(place: Path, source: Path) -> None:
    one, other = Files(place, LIMIT, MODEL), Files(place, LIMIT, "b2" * 32)
    names = [written(one, source), written(other, source)]
    assert [[found.name for found in files.scan(0.0)] for files in (one, other)] == [[name] for name in names]


@pytest.mark.promise("cache.kept-faults")
def test_two_servers_write_the_same_and_delete_each_others(place: Path, source: Path) -> None:
    one, other = Files(place, LIMIT, MODEL), Files(place, LIMIT, MODEL)
    name = written(one, source)
    assert written(other, source) == name
    assert read(one, name) == source.read_bytes()
    other.remove(name)
    with pytest.raises(OSError, match="No such file"):
        read(one, name)
    one.remove(name)


@pytest.mark.promise("cache.kept-bounded")
def test_what_was_used_least_recently_goes_where_files_would_take_too_much(place: Path, source: Path) -> None:
    files = Files(place, 2 * SIZE + 20_000, MODEL)
    names = [written(files, source, (n, *TOKENS)) for n in range(2)]
    os.utime(place / names[0], (1, 1))
    os.utime(place / names[1], (2, 2))
    files.write_marks(names[0], [MARK])  # it was used
    last = written(files, source, (2, *TOKENS))
    assert {path.name for path, _ in states_in(place)} == {names[0], last}
    assert files.evicted == 1
    with pytest.raises(OSError, match="more than"):
        written(Files(place, SIZE, MODEL), source)


@pytest.mark.promise("cache.kept-expires")
def test_what_is_over_is_deleted_whichever_model_it_is_of(place: Path, source: Path) -> None:
    for model in (MODEL, "b2" * 32):
        written(Files(place, LIMIT, model), source)
    assert len(Files(place, LIMIT, MODEL).scan(LATER - 1)) == 1
    assert Files(place, LIMIT, MODEL).scan(LATER) == []
    assert list(states_in(place)) == []
    assert [path for path in place.iterdir() if path.suffix == MARKS] == []


@pytest.mark.promise("cache.kept-faults")
@pytest.mark.parametrize("said", [b"", b"{", b"[1]", b'[["zz", 1, 2, 3]]', b"\xff", b"null"])
def test_marks_that_cannot_be_read_are_none(place: Path, source: Path, said: bytes) -> None:
    files = Files(place, LIMIT, MODEL)
    name = written(files, source)
    (place / name).with_suffix(MARKS).write_bytes(said)
    assert list(all_marks(place)) == []
    assert files.scan(0.0) == []


@pytest.mark.promise("cache.kept-faults")
def test_a_disk_that_is_full_leaves_nothing_behind(
    place: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pread, calls = os.pread, count(1)

    def full(*asked: int) -> bytes:
        # Two pieces are looked through, then both are written.
        if next(calls) == 4:
            raise OSError(28, "No space left on device")
        return pread(*asked)

    monkeypatch.setattr(os, "pread", full)
    with pytest.raises(OSError, match="No space"):
        written(Files(place, LIMIT, MODEL), source)
    assert list(place.iterdir()) == []


def test_a_directory_that_cannot_be_written_to_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        prepare(tmp_path / "file" / "states")


KILLED = """
import os, signal, sys
from pathlib import Path
from antiphon.engines.llamacpp.kept import files
from antiphon.ports.engine import Keep
directory, source = map(Path, sys.argv[1:])
files.CHUNK = 65536
seen = 0
write = files.Files._make_room
def room(self, *asked):
    write(self, *asked)
    pread = os.pread
    def killing(*asked):
        global seen
        seen += 1
        if seen == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return pread(*asked)
    os.pread = killing
files.Files._make_room = room
with source.open("rb") as file:
    size = os.fstat(file.fileno()).st_size
    files.Files(directory, 1 << 30, "a1" * 32).write("form", range(500), file.fileno(), size, [Keep(400, b"key", 300, 4e9)])
"""


@pytest.mark.promise("cache.kept-faults")
def test_a_server_that_is_killed_while_it_writes_leaves_nothing_that_is_used(place: Path, source: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, place, source], check=False, timeout=60)
    assert killed.returncode == -9
    (left,) = place.iterdir()
    assert left.stat().st_size < SIZE
    files = Files(place, LIMIT, MODEL)
    assert files.scan(left.stat().st_mtime + ABANDONED - 1) == []
    assert left.exists()  # somebody may be writing it
    (place / f"marks-of-nothing{MARKS}").write_text("[]")
    (place / "models.json").write_text("{}")
    assert files.scan(time.time() + ABANDONED + 1) == []
    (place / "models.json").unlink()
    assert list(place.iterdir()) == []
    assert read(files, written(files, source)) == source.read_bytes()
    assert [path.suffix for path in place.iterdir() if path.suffix == SUFFIX] == [SUFFIX]
