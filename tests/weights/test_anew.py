"""Files that were written anew: made once, made again when damaged, and done without where there is no room."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from antiphon.weights import ResolvedModel, resolve
from antiphon.weights.anew import Prepared, is_whole, models_directory, prepare
from antiphon.weights.progress import silent
from tests.weights.adapter_files import adapter_file
from tests.weights.test_rewriting import ALPHA, model, pairs

NAME = "blk.0.attn_q.weight"


class Usage(NamedTuple):
    """What `shutil` says of a disk."""

    total: int
    used: int
    free: int


def without_its_end(data: bytes) -> bytes:
    return data[:-1]


def emptied(data: bytes) -> bytes:
    return data[:0]


def with_a_bit_turned(data: bytes) -> bytes:
    return data[:900] + bytes([data[900] ^ 1]) + data[901:]


def with_a_byte_more(data: bytes) -> bytes:
    return data + b"\0"


@pytest.fixture
def builtin(tmp_path: Path) -> ResolvedModel:
    """A small model as if it were built in, with an adapter for tools."""
    return replace(found(tmp_path, scope="tools"), builtin=True)


def found(place: Path, *, scope: str = "") -> ResolvedModel:
    source, adapter = model(place / "tiny.gguf"), place / "change.gguf"
    adapter.write_bytes(adapter_file(pairs({NAME: None}), ALPHA, scope=scope))
    return resolve(str(source), adapter=str(adapter))


class Told:
    """Progress that is written down."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int, int | None]] = []

    def __call__(self, name: str, done: int, total: int | None) -> None:
        self.lines.append((name, done, total))

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(name for name, _, _ in self.lines))


@pytest.mark.promise("weights.anew-once")
def test_a_builtin_model_is_written_twice_with_its_adapter_and_without_and_only_once(
    builtin: ResolvedModel, tmp_path: Path
):
    told, again = Told(), Told()
    made = prepare(builtin, told, tmp_path / "kept")
    assert made.for_tools is not None
    assert (made.adapter, made.problem) == (None, "")
    assert [is_whole(path) for path in (made.path, made.for_tools)] == [True, True]
    assert made.path.read_bytes() != made.for_tools.read_bytes()
    assert told.names == ["Writing tiny anew, once", "Writing tiny with its adapter anew, once"]
    for name in told.names:
        lines = [(done, total) for told_name, done, total in told.lines if told_name == name]
        assert lines[-1][0] == lines[-1][1]
    assert prepare(builtin, again, tmp_path / "kept") == made
    assert not again.lines


@pytest.mark.promise("weights.anew-checked")
@pytest.mark.parametrize("damage", [without_its_end, emptied, with_a_bit_turned, with_a_byte_more])
def test_a_damaged_file_is_made_again_and_the_other_one_left_alone(
    builtin: ResolvedModel, tmp_path: Path, damage: Callable[[bytes], bytes]
):
    made = prepare(builtin, silent, tmp_path / "kept")
    whole, told = made.path.read_bytes(), Told()
    made.path.write_bytes(damage(whole))
    assert prepare(builtin, told, tmp_path / "kept") == made
    assert made.path.read_bytes() == whole
    assert told.names == ["Writing tiny anew, once"]


@pytest.mark.promise("weights.anew-checked")
def test_another_model_or_another_adapter_is_another_file(builtin: ResolvedModel, tmp_path: Path):
    made = prepare(builtin, silent, tmp_path / "kept")
    assert builtin.adapter is not None
    builtin.adapter.path.write_bytes(adapter_file(pairs({NAME: None}), 2 * ALPHA, scope="tools"))
    other = prepare(builtin, silent, tmp_path / "kept")
    assert (other.path, other.for_tools == made.for_tools) == (made.path, False)


@pytest.mark.promise("weights.anew-proven-meanwhile")
def test_files_that_look_as_they_did_are_proven_while_they_are_loaded(builtin: ResolvedModel, tmp_path: Path):
    kept = tmp_path / "kept"
    assert prepare(builtin, silent, kept, trust=True).proof is None, "nothing is known of files that were not there"
    made = prepare(builtin, silent, kept, trust=True)
    assert made == prepare(builtin, silent, kept)
    assert made.proof is not None
    assert made.proof()
    assert made.for_tools is not None
    adapter = builtin.adapter
    assert adapter is not None
    for path in (made.path, made.for_tools, builtin.path, adapter.path):
        whole, looks = path.read_bytes(), path.stat()
        with path.open("r+b") as file:
            file.write(with_a_bit_turned(whole))
        os.utime(path, ns=(looks.st_atime_ns, looks.st_mtime_ns))
        damaged = prepare(builtin, silent, kept, trust=True)
        assert damaged.proof is not None
        assert not damaged.proof(), f"{path.name} looks as it did and is another"
        path.write_bytes(whole)
        assert prepare(builtin, silent, kept, trust=True).proof is None, "it looks changed, and was read at once"
        assert prepare(builtin, silent, kept, trust=True).proof is not None


@pytest.mark.promise("weights.anew-proven-meanwhile")
@pytest.mark.parametrize("says", [b"", b"{", b"[]", b'{"a": 1}', b"\xff"])
def test_stamps_that_say_nothing_are_as_good_as_none(builtin: ResolvedModel, tmp_path: Path, says: bytes):
    kept = tmp_path / "kept"
    prepare(builtin, silent, kept)
    (kept / "stamps.json").write_bytes(says)
    assert prepare(builtin, silent, kept, trust=True).proof is None
    assert prepare(builtin, silent, kept, trust=True).proof is not None


def as_it_came(model: ResolvedModel) -> Prepared:
    assert model.adapter is not None
    return Prepared(model.path, model.adapter.path)


@pytest.mark.promise("weights.anew-not-needed")
def test_where_the_directory_cannot_be_made_the_model_is_served_as_it_came(builtin: ResolvedModel, tmp_path: Path):
    (tmp_path / "kept").write_text("in the way")
    made = prepare(builtin, silent, tmp_path / "kept")
    assert made.problem
    assert replace(made, problem="") == as_it_came(builtin)


@pytest.mark.promise("weights.anew-not-needed")
def test_where_the_disk_is_full_the_model_is_served_as_it_came(
    builtin: ResolvedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_: Path) -> Usage:
        return Usage(10**9, 10**9, 1000)

    monkeypatch.setattr(shutil, "disk_usage", full)
    made = prepare(builtin, silent, tmp_path / "kept")
    assert "the disk has no room for" in made.problem
    assert replace(made, problem="") == as_it_came(builtin)


@pytest.mark.promise("weights.anew-not-needed")
def test_a_write_that_fails_half_way_leaves_nothing_behind(
    builtin: ResolvedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(name: str, done: int, total: int | None) -> None:
        if total is not None and done > total // 2:
            raise OSError(28, os.strerror(28))

    made = prepare(builtin, fail, tmp_path / "kept")
    assert made.problem == os.strerror(28)
    assert [path.name for path in (tmp_path / "kept").iterdir() if path.suffix != ".lock"] == []


def test_what_a_killed_server_left_half_written_is_removed_and_what_is_being_written_is_not(
    builtin: ResolvedModel, tmp_path: Path
):
    kept = tmp_path / "kept"
    kept.mkdir()
    old, new = kept / "old.part", kept / "new.part"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (0, 0))
    prepare(builtin, silent, kept)
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.promise("weights.anew-once")
def test_servers_that_start_at_once_end_with_the_same_whole_files(builtin: ResolvedModel, tmp_path: Path):
    told = [Told() for _ in range(4)]

    def start(each: Told) -> Prepared:
        return prepare(builtin, each, tmp_path / "kept")

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(start, told))
    assert made.count(made[0]) == 4
    assert made[0].for_tools is not None
    assert is_whole(made[0].path)
    assert is_whole(made[0].for_tools)
    if os.name == "posix":  # the others waited for the one that wrote
        assert sum(len(each.names) for each in told) == 2


@pytest.mark.promise("adapter.merged-for-anybody")
def test_of_another_model_only_what_its_adapter_changes_is_written(tmp_path: Path):
    for_all, for_tools = found(tmp_path), found(tmp_path, scope="tools")
    alone = resolve(str(for_all.path))
    assert prepare(alone, silent, tmp_path / "kept") == Prepared(alone.path)
    made = prepare(for_tools, silent, tmp_path / "kept")
    assert (made.path, made.adapter) == (for_tools.path, None)
    assert made.for_tools is not None
    assert is_whole(made.for_tools)
    found(tmp_path)
    made = prepare(for_all, silent, tmp_path / "kept")
    assert is_whole(made.path)
    assert (made.adapter, made.for_tools) == (None, None)


@pytest.mark.parametrize(
    ("env", "place"),
    [
        ({"HF_ASSETS_CACHE": "/a", "HF_HOME": "/h"}, "/a"),
        ({"HF_HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/h/assets"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/assets"),
        ({}, f"{Path.home()}/.cache/huggingface/assets"),
    ],
)
def test_the_files_lie_where_programs_of_the_hub_keep_theirs(env: dict[str, str], place: str):
    assert models_directory(env) == Path(place) / "antiphon" / "models"


def test_what_tests_have_written_is_not_in_the_users_own_cache():
    assert models_directory(os.environ).is_relative_to(Path(__file__).parents[2] / "build")
