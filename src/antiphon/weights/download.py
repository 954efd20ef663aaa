"""One file from a hub, in as many goes as it takes: what has come is kept, and the next go asks for the rest.

Own code, because `huggingface_hub` throws away what came when it is stopped (since 1.0, huggingface_hub#4228), and a
model of 12 GB on a home connection is not fetched in one go. The bytes are put where that library would put them.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from antiphon.weights.errors import WeightsError
from antiphon.weights.progress import Progress

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PAUSES: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each go that follows one in which nothing came."""
_READ: Final = 1 << 20
_BROKEN: Final = ("httpx", "httpcore")


@dataclass(frozen=True, slots=True)
class Download:
    """What is fetched: `url` with `headers`, called `name` before people, `size` bytes. `etag`: what tells these
    bytes from others, their SHA-256 where it looks like one."""

    url: str
    name: str
    size: int
    etag: str
    headers: Mapping[str, str]


def bring(
    wanted: Download,
    *,
    blob: Path,
    lock: Path,
    progress: Progress,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Leave the file at `blob`, whole. Raises `WeightsError`, and what the hub's library raises.

    Bytes that came stay in `blob`.part until it is whole. `lock`: held meanwhile, by one process at a time.
    """
    from huggingface_hub.utils import WeakFileLock

    blob.parent.mkdir(parents=True, exist_ok=True)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(lock):
        if blob.exists():
            return
        part = blob.with_name(f"{blob.name}.part")
        _check_room(wanted, part)
        with part.open("ab") as file:
            _fill(wanted, part, file, progress, wait)
        _check_sum(wanted, part)
        part.replace(blob)


def _check_room(wanted: Download, part: Path) -> None:
    here = part.stat().st_size if part.exists() else 0
    free = shutil.disk_usage(part.parent).free
    if wanted.size - here > free:
        raise WeightsError(
            f"{(wanted.size - here) / 1e9:.2f} GB are still to be fetched, and {part.parent.parent.parent} has room "
            f"for {free / 1e9:.2f} GB. Free some, or set HF_HUB_CACHE to a directory with more."
        )


def _fill(wanted: Download, part: Path, file: BinaryIO, progress: Progress, wait: Callable[[float], None]) -> None:
    """Append what is missing, in goes."""
    if file.tell() > wanted.size:
        _empty(file)
    progress(wanted.name, file.tell(), wanted.size)
    pauses = iter(_PAUSES)
    while file.tell() < wanted.size:
        before = file.tell()
        try:
            _go(wanted, file, progress)
        except Exception as problem:
            if not _may_pass(problem):
                raise
            file.flush()
            if file.tell() > before:
                pauses = iter(_PAUSES)
            pause = next(pauses, None)
            if pause is None:
                raise
            wait(pause)


def _go(wanted: Download, file: BinaryIO, progress: Progress) -> None:
    """Ask for the rest, and take what comes."""
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import hf_raise_for_status

    start = file.tell()
    headers = {**wanted.headers, "accept-encoding": "identity"}
    if start:
        headers["range"] = f"bytes={start}-"
    client: Any = get_session()
    with client.stream("GET", wanted.url, headers=headers, follow_redirects=True, timeout=30.0) as response:
        hf_raise_for_status(response)
        if start and response.status_code != 206:
            # A server that knows no ranges sends everything.
            _empty(file)
        for chunk in response.iter_bytes(constants.DOWNLOAD_CHUNK_SIZE):
            file.write(chunk)
            progress(wanted.name, file.tell(), wanted.size)
    file.flush()


def _empty(file: BinaryIO) -> None:
    file.truncate(0)
    file.seek(0)


def _may_pass(problem: Exception) -> bool:
    """Whether another go may get further: the connection broke, or the hub is not well just now."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(problem, HfHubHTTPError):
        return problem.response.status_code >= 500 or problem.response.status_code == 429
    module = type(problem).__module__.partition(".")[0]
    return isinstance(problem, ConnectionError | TimeoutError) or module.startswith(_BROKEN)


def _check_sum(wanted: Download, part: Path) -> None:
    """What came is what was announced; else it is thrown away."""
    size = part.stat().st_size
    right = size == wanted.size
    if right and _SHA256.fullmatch(wanted.etag):
        digest = hashlib.sha256()
        with part.open("rb") as file:
            while chunk := file.read(_READ):
                digest.update(chunk)
        right = digest.hexdigest() == wanted.etag
    if not right:
        part.unlink(missing_ok=True)
        raise WeightsError(
            f"{wanted.name}: what came is not the file that the hub announced ({size} bytes, its checksum is wrong). "
            "It was thrown away; try again."
        )
