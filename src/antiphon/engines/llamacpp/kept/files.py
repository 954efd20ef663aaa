"""States on the disk, a file each: written whole under another name first, looked through before it is used.

    MODEL-STATE.kv     magic, lengths, digest of the head, the head as JSON, the tokens; then what llama.cpp wrote
    MODEL-STATE.json   its marks, which change while it is there

MODEL and STATE are digests: of the model, and of whom the state belongs to and its tokens. The head has the digest of
every `CHUNK` of the rest. llama.cpp takes nearly any file for one of its own: it is shown none that is not to the
byte what it wrote. All of this blocks, and belongs in a thread.
"""

import contextlib
import json
import os
import struct
import time
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Final

from antiphon.ports.engine import Keep

CHUNK: Final = 4 * 1024 * 1024

ABANDONED: Final = 600.0
"""Seconds after which nobody works any more on a file that is not whole."""

SUFFIX: Final = ".kv"
MARKS: Final = ".json"
_TEMPORARY: Final = ".tmp"
_MAGIC: Final = b"AntPfx01"
_LENGTHS: Final = struct.Struct("<IIQ")
_DIGEST: Final = 32
_MOST_HEAD: Final = 64 * 1024 * 1024
_THREADS: Final = 2
_MODEL_DIGITS: Final = 16
_MODELS: Final = "models.json"
_ANEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


class DamagedError(Exception):
    """A file is not what was written."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A state that is on the disk: its file's name, and what is known of it without its bytes."""

    name: str
    form: str
    tokens: tuple[int, ...]
    size: int
    marks: tuple[Keep, ...]


@dataclass(frozen=True, slots=True)
class _Head:
    model: str
    form: str
    tokens: tuple[int, ...]
    digests: tuple[str, ...]
    size: int
    begin: int


class Files:
    """The states of one model in a directory of at most `limit` bytes, which other servers may use too."""

    def __init__(self, directory: Path, limit: int, model: str) -> None:
        self._directory = directory
        self._limit = limit
        self._model = model
        self.evicted = 0

    def name_of(self, form: str, tokens: Sequence[int]) -> str:
        """The name of the file of these tokens."""
        digest = blake2b(f"{self._model} {form} ".encode(), digest_size=16)
        digest.update(array("i", tokens).tobytes())
        return f"{self._model[:_MODEL_DIGITS]}-{digest.hexdigest()}{SUFFIX}"

    def write(self, form: str, tokens: Sequence[int], source: int, size: int, marks: Sequence[Keep]) -> str:
        """Write what is in an open file; its name. What was used least recently goes where there is no room.

        Raises OSError.
        """
        name = self.name_of(form, tokens)
        said = {"model": self._model, "form": form, "size": size, "digests": _digests(source, 0, size)}
        head, packed = json.dumps(said).encode(), array("i", tokens).tobytes()
        check = sha256(head + packed).digest()
        start = _MAGIC + _LENGTHS.pack(len(head), len(packed), size) + check + head + packed
        if len(start) + size > self._limit:
            raise OSError(f"{len(start) + size} bytes are more than the {self._limit} that all files may have")
        self._make_room(len(start) + size, name)
        temporary = self._directory / f"{name}.{os.getpid()}{_TEMPORARY}"
        try:
            with os.fdopen(os.open(temporary, _ANEW, 0o600), "wb") as target:
                target.write(start)
                for at in range(0, size, CHUNK):
                    target.write(os.pread(source, min(CHUNK, size - at), at))
            self.write_marks(name, marks)
            temporary.replace(self._directory / name)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        return name

    def write_marks(self, name: str, marks: Sequence[Keep]) -> None:
        """These are its marks now. Raises OSError."""
        path = self._directory / (name.removesuffix(SUFFIX) + MARKS)
        temporary = path.with_name(f"{path.name}.{os.getpid()}{_TEMPORARY}")
        said = [[mark.key.hex(), mark.tokens, mark.seconds, mark.until] for mark in marks]
        try:
            with os.fdopen(os.open(temporary, _ANEW, 0o600), "wb") as target:
                target.write(json.dumps(said).encode())
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        with contextlib.suppress(OSError):
            os.utime(self._directory / name)

    def read(self, name: str, form: str, tokens: Sequence[int], target: int) -> None:
        """Copy a state into an open file, if it is to the byte what was written for these tokens.

        Raises `DamagedError` or OSError.
        """
        with (self._directory / name).open("rb") as file:
            head = _head(file.fileno())
            if (head.model, head.form, head.tokens) != (self._model, form, tuple(tokens)):
                raise DamagedError(f"{name} is another one's")
            os.ftruncate(target, head.size)

            def copy(number: int) -> bool:
                at = number * CHUNK
                piece = os.pread(file.fileno(), min(CHUNK, head.size - at), head.begin + at)
                if sha256(piece).hexdigest() != head.digests[number]:
                    return False
                return os.pwrite(target, piece, at) == len(piece)

            with ThreadPoolExecutor(_THREADS) as threads:
                if not all(threads.map(copy, range(len(head.digests)))):
                    raise DamagedError(f"{name} is not what was written")

    def remove(self, name: str) -> None:
        """Delete a state, if it is there."""
        for file in (name, name.removesuffix(SUFFIX) + MARKS):
            with contextlib.suppress(OSError):
                (self._directory / file).unlink()

    def scan(self, now: float) -> list[Filed]:
        """The states of this model that are there and have time left, the least recently used first.

        What is over, damaged or abandoned is deleted. Raises OSError where the directory cannot be read.
        """
        sweep(self._directory, now)
        found: list[tuple[float, Filed]] = []
        for path in self._directory.glob(f"{self._model[:_MODEL_DIGITS]}-*{SUFFIX}"):
            try:
                with path.open("rb") as file:
                    head = _head(file.fileno())
                used = path.stat().st_mtime
            except FileNotFoundError:
                continue
            except (DamagedError, OSError):
                self.remove(path.name)
                continue
            marks = tuple(read_marks(path.with_suffix(MARKS)))
            right = head.model == self._model and path.name == self.name_of(head.form, head.tokens)
            if right and any(mark.until > now for mark in marks):
                found.append((used, Filed(path.name, head.form, head.tokens, head.size, marks)))
            else:
                self.remove(path.name)
        return [filed for _, filed in sorted(found, key=lambda one: one[0])]

    def _make_room(self, size: int, name: str) -> None:
        there = {path: about for path, about in states_in(self._directory) if path.name != name}
        total = size + sum(about.st_size for about in there.values())
        for path, about in sorted(there.items(), key=lambda one: one[1].st_mtime):
            if total <= self._limit:
                break
            self.remove(path.name)
            self.evicted += 1
            total -= about.st_size


def prepare(directory: Path) -> None:
    """Make the directory, for this user alone. Raises OSError where nothing can be written there."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    probe = directory / f"probe.{os.getpid()}{_TEMPORARY}"
    probe.write_bytes(b"")
    probe.unlink()


def states_in(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The files of states in a directory, of all models. Raises OSError."""
    for path in directory.iterdir():
        if path.suffix in (SUFFIX, _TEMPORARY):
            with contextlib.suppress(FileNotFoundError):
                yield path, path.stat()


def sweep(directory: Path, now: float | None = None) -> None:
    """Delete what is over, of whichever model, and what was begun and left. Raises OSError."""
    now = time.time() if now is None else now
    for path in list(directory.iterdir()):
        with contextlib.suppress(OSError):
            alone = path.suffix == MARKS and path.name != _MODELS and not path.with_suffix(SUFFIX).exists()
            if (alone or path.suffix == _TEMPORARY) and path.stat().st_mtime < now - ABANDONED:
                path.unlink()
            elif path.suffix == SUFFIX and not any(mark.until > now for mark in read_marks(path.with_suffix(MARKS))):
                path.unlink()
                path.with_suffix(MARKS).unlink()


def all_marks(directory: Path) -> Iterator[Keep]:
    """The marks of all states that are there; of what cannot be read there are none."""
    try:
        names = [path for path in directory.iterdir() if path.suffix == SUFFIX]
    except OSError:
        return
    for path in names:
        yield from read_marks(path.with_suffix(MARKS))


def read_marks(path: Path) -> list[Keep]:
    """The marks in a file; none where it is not what was written."""
    try:
        said: Any = json.loads(path.read_bytes())
        return [
            Keep(int(tokens), bytes.fromhex(key), int(seconds), float(until)) for key, tokens, seconds, until in said
        ]
    except (OSError, ValueError, TypeError):
        return []


def _head(file: int) -> _Head:
    """What a file says of itself, if its length is what it says. Raises `DamagedError`."""
    start = os.pread(file, len(_MAGIC) + _LENGTHS.size + _DIGEST, 0)
    if len(start) != len(_MAGIC) + _LENGTHS.size + _DIGEST or not start.startswith(_MAGIC):
        raise DamagedError("the file is none of ours, or cut short")
    length, tokens, size = _LENGTHS.unpack_from(start, len(_MAGIC))
    begin = len(start) + length + tokens
    if length + tokens > _MOST_HEAD or os.fstat(file).st_size != begin + size:
        raise DamagedError("the file is cut short")
    rest = os.pread(file, length + tokens, len(start))
    if sha256(rest).digest() != start[-_DIGEST:]:
        raise DamagedError("the file's head is not what was written")
    said: dict[str, Any] = json.loads(rest[:length])
    packed = array("i")
    packed.frombytes(rest[length:])
    digests = tuple(said["digests"])
    if len(digests) != -(-size // CHUNK):
        raise DamagedError("the file's head is not what was written")
    return _Head(said["model"], said["form"], tuple(packed), digests, size, begin)


def _digests(file: int, begin: int, size: int) -> list[str]:
    def digest(at: int) -> str:
        return sha256(os.pread(file, min(CHUNK, size - at), begin + at)).hexdigest()

    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(digest, range(0, size, CHUNK)))
