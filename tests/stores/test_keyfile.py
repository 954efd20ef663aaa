"""The file with the keys that seal thinking: made once, private, and never a reason not to start."""

import base64
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from antiphon.config import ThinkingSettings
from antiphon.config.keys import KEY_BYTES, keys_in
from antiphon.seals import NONCE_BYTES, Seals, Thought
from antiphon.stores.keyfile import KeyFileError, KeysDescription, describe_keys, key_path, seals_for

THOUGHT = Thought("text", "model", 1, "shown")

KEY = bytes(range(KEY_BYTES))

WRITTEN = base64.b64encode(KEY).decode()

posix = pytest.mark.skipif(os.name != "posix", reason="the mode of a file says who may read it on POSIX alone")


class Dice:
    """Keys that are told apart by their first byte: one more at every throw."""

    def __init__(self, first: int = 1) -> None:
        self.thrown = first - 1

    def bytes(self, count: int) -> bytes:
        self.thrown += 1
        return bytes([self.thrown]) * count


def settings(path: Path | None = None, *, keys: tuple[bytes, ...] = ()) -> ThinkingSettings:
    return ThinkingSettings(key_file=None if path is None else str(path), keys=keys)


def started(path: Path | None = None, first: int = 1, env: Mapping[str, str] | None = None) -> Seals:
    """The seals of a server that starts with this key file; `first`: the key that its dice would make."""
    return seals_for(settings(path), Dice(first), env or {})


def look(path: Path | None = None, env: Mapping[str, str] | None = None) -> KeysDescription:
    return describe_keys(settings(path), env or {})


def opens(seals: Seals, by: Seals) -> bool:
    return by.open(seals.seal(THOUGHT, bytes(NONCE_BYTES))) is not None


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.promise("thinking.keys-outlive-the-process")
def test_the_first_start_makes_the_file_and_the_next_one_opens_what_it_sealed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "state" / "antiphon" / "thinking.key"
    first = started(path, 1)
    second = started(path, 2)
    assert opens(first, second)
    assert opens(second, first)
    assert opens(first, Seals(keys_in(path.read_text())))
    assert [entry.name for entry in path.parent.iterdir()] == ["thinking.key"], "no draft stays"
    assert warnings(caplog) == []


@posix
@pytest.mark.promise("thinking.keys-are-private")
def test_only_its_owner_may_read_the_file(tmp_path: Path):
    path = tmp_path / "antiphon" / "thinking.key"
    before = os.umask(0)
    try:
        started(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@posix
@pytest.mark.promise("thinking.keys-are-private")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_can_get_at_is_warned_of(mode: int, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "thinking key"
    path.write_text(WRITTEN)
    path.chmod(mode)
    assert opens(started(path), Seals([KEY]))
    (warning,) = warnings(caplog)
    assert f"Run: chmod 600 '{path}'" in warning
    assert look(path) == KeysDescription(str(path), 1, exposed=f"chmod 600 '{path}'")


@pytest.mark.promise("thinking.keys-outlive-the-process")
def test_the_settings_outrank_the_file_and_leave_it_alone(tmp_path: Path):
    path = tmp_path / "thinking.key"
    seals = seals_for(settings(path, keys=(KEY,)), Dice(), {})
    assert opens(Seals([KEY]), seals)
    assert not path.exists()
    assert describe_keys(settings(path, keys=(KEY,)), {}) == KeysDescription("the settings", 1)


@pytest.mark.promise("thinking.seal-keys-rotate")
def test_the_first_line_seals_and_every_line_opens(tmp_path: Path):
    path = tmp_path / "thinking.key"
    path.write_text(f"# new\n{base64.b64encode(KEY[::-1]).decode()}\n# old\n{WRITTEN}\n", "utf-8-sig")
    seals = started(path)
    assert opens(Seals([KEY]), seals)
    assert opens(seals, Seals([KEY[::-1]]))
    assert not opens(seals, Seals([KEY]))


@pytest.mark.promise("thinking.keys-outlive-the-process")
def test_of_many_that_start_at_once_all_end_with_one_key(tmp_path: Path):
    path, every = tmp_path / "deep" / "thinking.key", 12
    start, found = threading.Barrier(every), dict[int, Seals]()

    def run(number: int) -> None:
        start.wait(30)
        found[number] = started(path, 10 * number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(1, every + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == every
    assert all(opens(seals, found[1]) for seals in found.values())


PROCESS = """
import os, sys
from antiphon.config import ThinkingSettings
from antiphon.stores.keyfile import seals_for
from antiphon.seals import Thought

class Dice:
    def bytes(self, count):
        return os.urandom(count)

sys.stdin.read(1)
seals = seals_for(ThinkingSettings(key_file=sys.argv[1]), Dice(), {})
print(seals.seal(Thought("text", "model", 1, "shown"), os.urandom(12)))
"""


@pytest.mark.promise("thinking.keys-outlive-the-process")
def test_of_two_processes_that_start_at_once_both_end_with_one_key(tmp_path: Path):
    path = tmp_path / "thinking.key"
    command = [sys.executable, "-c", PROCESS, str(path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    signatures = [process.communicate(timeout=60)[0].strip() for process in processes]
    seals = Seals(keys_in(path.read_text()))
    assert [seals.open(signature) is not None for signature in signatures] == [True, True]


def links_made_by_a_rival(draft: str, path: Path) -> None:
    path.write_text(WRITTEN)
    raise FileExistsError(17, "File exists", str(path))


def no_links(draft: str, path: Path) -> None:
    raise PermissionError(1, "Operation not permitted", str(path))


def no_links_and_a_rival(draft: str, path: Path) -> None:
    path.write_text(WRITTEN)
    no_links(draft, path)


@pytest.mark.promise("thinking.keys-outlive-the-process")
@pytest.mark.parametrize(
    ("link", "key"),
    [
        pytest.param(links_made_by_a_rival, KEY, id="another process was first"),
        pytest.param(no_links, b"\x01" * KEY_BYTES, id="a file system without links"),
        pytest.param(no_links_and_a_rival, KEY, id="both"),
    ],
)
def test_a_file_is_made_once_whatever_the_file_system_does(
    link: Callable[[str, Path], None], key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "thinking.key"
    assert opens(started(path), Seals([key]))
    assert keys_in(path.read_text()) == (key,)
    assert list(tmp_path.iterdir()) == [path]


def under_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "antiphon" / "thinking.key"


def a_folder(folder: Path) -> Path:
    (folder / "thinking.key").mkdir()
    return folder / "thinking.key"


def into_nowhere(folder: Path) -> Path:
    (folder / "thinking.key").symlink_to(folder / "gone" / "thinking.key")
    return folder / "thinking.key"


@pytest.mark.promise("thinking.keys-never-stop-the-start")
@pytest.mark.parametrize("place", [under_a_file, a_folder, into_nowhere])
def test_without_a_file_the_server_starts_with_a_key_of_its_own_and_a_warning(
    place: Callable[[Path], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = place(tmp_path)
    first, second = (started(path, number) for number in (10, 20))
    assert opens(first, first)
    assert not opens(first, second)
    text = warnings(caplog)[0]
    assert str(path) in text
    assert "after the next start these seals will not verify" in text
    assert "ANTIPHON_THINKING_KEYS" in text


@pytest.mark.promise("thinking.keys-never-stop-the-start")
def test_a_disk_without_room_leaves_no_broken_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "thinking.key"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        started(path)
    assert list(tmp_path.iterdir()) == []
    assert "No space left" in warnings(caplog)[0]


@pytest.mark.promise("thinking.keys-never-stop-the-start")
def test_a_user_without_a_home_gets_a_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    seals = started()
    assert opens(seals, seals)
    assert "no home directory" in warnings(caplog)[0]
    assert "no home directory" in look().unreachable


@pytest.mark.promise("config.names-the-wrong-setting")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "there is no key in it", id="empty"),
        pytest.param(b"# to do\n", "there is no key in it", id="comments alone"),
        pytest.param(f"{WRITTEN}\nhush\n".encode(), "line 2: this is base64 of 3 bytes, not of 32", id="short"),
        pytest.param(b"\xff\xfe\x00", "this is not text", id="binary"),
    ],
)
def test_a_file_of_other_things_than_keys_stops_the_start(content: bytes, words: str, tmp_path: Path):
    path = tmp_path / "thinking.key"
    path.write_bytes(content)
    with pytest.raises(KeyFileError) as caught:
        started(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: {words}; ")
    assert "openssl rand -base64 32" in text
    assert "hush" not in text
    assert look(path) == KeysDescription(str(path), wrong=text)
    assert path.read_bytes() == content


def test_the_file_lies_where_the_platform_keeps_such_things():
    home = Path.home()
    within = Path("antiphon/thinking.key")
    places = {
        key_path(None, {}, "linux"): home / ".local/state" / within,
        key_path(None, {"XDG_STATE_HOME": "/var/state"}, "linux"): Path("/var/state") / within,
        key_path(None, {"XDG_STATE_HOME": "relative"}, "linux"): home / ".local/state" / within,
        key_path(None, {"XDG_STATE_HOME": ""}, "linux"): home / ".local/state" / within,
        key_path(None, {}, "darwin"): home / "Library/Application Support" / within,
        key_path(None, {"XDG_STATE_HOME": "/var/state"}, "darwin"): Path("/var/state") / within,
        key_path(None, {"LOCALAPPDATA": "/c/local"}, "win32"): Path("/c/local") / within,
        key_path("~/own.key", {"XDG_STATE_HOME": "/var/state"}): home / "own.key",
        key_path("own.key", {}): Path("own.key"),
    }
    assert list(places) == list(places.values())


@pytest.mark.promise("thinking.keys-are-checked")
def test_a_look_at_the_keys_makes_none(tmp_path: Path):
    env = {"XDG_STATE_HOME": str(tmp_path)}
    path = tmp_path / "antiphon" / "thinking.key"
    assert look(env=env) == KeysDescription(str(path))
    assert list(tmp_path.iterdir()) == []
    started(env=env)
    assert look(env=env) == KeysDescription(str(path), 1)


@pytest.mark.promise("thinking.keys-are-checked")
def test_a_look_at_the_keys_says_why_there_will_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def read_only(folder: Path, mode: int) -> bool:
        return False

    assert "Not a directory" in look(under_a_file(tmp_path)).unreachable
    monkeypatch.setattr(os, "access", read_only)
    assert look(tmp_path / "gone" / "thinking.key").unreachable == f"nothing can be made in {tmp_path}"
