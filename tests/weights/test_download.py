"""A file comes in as many goes as it takes, and what came is what was announced."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import huggingface_hub
import pytest

from antiphon.weights import Hub, WeightsError, resolve
from antiphon.weights.hub import HubReference
from tests.weights.gguf_files import MODEL, gguf
from tests.weights.stand_in_hub import StandInHub, running

REPO = "org/Tiny-GGUF"
NAME = "tiny-Q4_K_M.gguf"
FILE = gguf({**MODEL, "padding": "x" * 400_000})


@pytest.fixture
def stand_in() -> Iterator[StandInHub]:
    with running() as hub:
        hub.files[REPO] = {NAME: FILE}
        yield hub
    huggingface_hub.close_session()


@pytest.fixture
def hub(stand_in: StandInHub, tmp_path: Path) -> Hub:
    return Hub(endpoint=stand_in.endpoint, cache=tmp_path)


def part(cache: Path) -> Path:
    (found,) = (cache / "models--org--Tiny-GGUF" / "blobs").glob("*.part")
    return found


@pytest.mark.promise("weights.resume-later")
def test_a_download_that_was_killed_goes_on_in_the_next_run(stand_in: StandInHub, hub: Hub, tmp_path: Path):
    stand_in.stalls_after = len(FILE) // 2
    program = "import sys\nfrom antiphon.weights import resolve\nresolve(sys.argv[1])\n"
    environment = {**os.environ, "HF_ENDPOINT": stand_in.endpoint, "HF_HUB_CACHE": str(tmp_path)}
    run = subprocess.Popen([sys.executable, "-c", program, f"hf:{REPO}"], env=environment)
    try:
        assert stand_in.stalled.wait(60)
        run.send_signal(signal.SIGKILL)
    finally:
        run.kill()
        run.wait(30)
    stand_in.stalls_after = None
    stand_in.go_on.set()
    kept = part(tmp_path).stat().st_size
    seen: list[int] = []
    found = resolve(f"hf:{REPO}", lambda name, done, total: seen.append(done), hub=hub)
    assert found.path.read_bytes() == FILE
    assert seen[0] == kept
    (_, first), (_, second) = stand_in.downloads
    assert first is None
    assert second == (f"bytes={kept}-" if kept else None)


def leave(cache: Path, left: bytes) -> None:
    """Put something where the beginning of the file would lie."""
    folder = cache / "models--org--Tiny-GGUF" / "blobs"
    folder.mkdir(parents=True)
    (folder / f"{hashlib.sha256(FILE).hexdigest()}.part").write_bytes(left)


@pytest.mark.promise("weights.checked")
def test_a_beginning_of_another_file_is_found_out_and_thrown_away(hub: Hub, tmp_path: Path):
    leave(tmp_path, b"y" * 1000)
    with pytest.raises(WeightsError, match="checksum is wrong"):
        resolve(f"hf:{REPO}", hub=hub)
    assert resolve(f"hf:{REPO}", hub=hub).path.read_bytes() == FILE


def test_more_than_the_file_has_cannot_be_its_beginning(hub: Hub, tmp_path: Path):
    leave(tmp_path, FILE + b"more")
    assert resolve(f"hf:{REPO}", hub=hub).path.read_bytes() == FILE


@pytest.mark.promise("weights.checked")
def test_a_hub_that_sends_other_bytes_than_it_announced_is_not_believed(stand_in: StandInHub, hub: Hub):
    stand_in.lies = True
    with pytest.raises(WeightsError, match=f"hf:{REPO}:{NAME}: {NAME}: what came is not the file"):
        resolve(f"hf:{REPO}:{NAME}", hub=hub)


def test_a_server_that_knows_no_ranges_sends_the_file_again(stand_in: StandInHub, hub: Hub):
    stand_in.breaks, stand_in.ranges = 1, False
    assert resolve(f"hf:{REPO}", hub=hub).path.read_bytes() == FILE
    assert len(stand_in.downloads) == 2


@pytest.mark.promise("weights.room")
def test_a_disk_without_room_is_said_before_anything_is_fetched(
    stand_in: StandInHub, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("antiphon.weights.download.shutil.disk_usage", _full)
    with pytest.raises(WeightsError, match=r"has room for 0\.00 GB.*HF_HUB_CACHE"):
        resolve(f"hf:{REPO}", hub=hub)
    assert stand_in.downloads == []


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def _full(path: Path) -> _Usage:
    return _Usage(10, 9, 1)


def test_two_at_once_fetch_a_file_once(stand_in: StandInHub, hub: Hub):
    found: list[bytes] = []
    both = [
        threading.Thread(target=lambda: found.append(resolve(f"hf:{REPO}", hub=hub).path.read_bytes())) for _ in "ab"
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    assert found == [FILE, FILE]
    assert len(stand_in.downloads) == 1


@pytest.mark.promise("models.rm")
def test_what_is_forgotten_is_gone_with_its_parts(stand_in: StandInHub, hub: Hub, tmp_path: Path):
    assert hub.forget(REPO) == 0
    assert hub.here(HubReference(REPO, None)) is None
    path = resolve(f"hf:{REPO}", hub=hub).path
    assert hub.here(HubReference(REPO, None)) == path
    assert hub.here(HubReference(REPO, "other.gguf")) is None
    (path.parents[2] / "blobs" / "half.part").write_bytes(b"123")
    assert hub.forget(REPO) == len(FILE) + 3
    assert not (tmp_path / "models--org--Tiny-GGUF").exists()
    assert hub.here(HubReference(REPO, None)) is None
