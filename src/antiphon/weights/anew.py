"""Models that were written anew, kept between two starts: which file is served, and whether it is still whole.

They lie where programs of the hub keep what they have made of its files: `HF_ASSETS_CACHE`, else `assets` in
`HF_HOME`. A file's name says what it was made from, by digest: another model, another adapter or another form is
another file. It ends in the digest of all before, which is checked at each start: one that is damaged is made again.
Where nothing looks changed, that check can wait until the model is being loaded (`Prepared.proof`).
It gets its name when it is complete, so that nobody sees half of one, however many servers start at a time.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

from antiphon.weights.errors import WeightsError
from antiphon.weights.progress import Progress
from antiphon.weights.resolve import ResolvedModel
from antiphon.weights.rewriting import plan, write
from antiphon.weights.stamps import Stamps

FORM: Final = "1"
"""Counted up when the same sources become another file."""

_MARK: Final = b"antiphon"
_END: Final = len(_MARK) + hashlib.sha256().digest_size
_PIECE: Final = 1024 * 1024
_SPARE: Final = 64 * 1024 * 1024
"""Bytes of the disk that are left to others."""
_STALE: Final = 3600.0
"""Seconds after which a file that nobody has finished is nobody's work."""
_HALF: Final = ".part"
_STAMPS: Final = "stamps.json"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is loaded for a model. `adapter`: what is applied at load. `for_tools`: the file for work with tools or
    thoughts, None where one file does all. `problem`: why the model is served as it came, empty where it is not.
    `proof`: reads all files again and says whether they are what they seem, which is to be asked before anybody is
    answered; None where it is known."""

    path: Path
    adapter: Path | None = None
    for_tools: Path | None = None
    problem: str = ""
    proof: Callable[[], bool] | None = field(default=None, compare=False)


def is_wanted(said: bool | None, found: ResolvedModel) -> bool:
    """Whether a model is to be written anew. `said`: what its settings say, None for nothing."""
    return found.builtin if said is None else said


def as_it_came(found: ResolvedModel, problem: str = "") -> Prepared:
    """The model's own file, and its adapter applied at load."""
    return Prepared(found.path, None if found.adapter is None else found.adapter.path, problem=problem)


def prepare(found: ResolvedModel, progress: Progress, place: Path | None = None, *, trust: bool = False) -> Prepared:
    """The files to serve a model from, its adapter merged into one of them; made where they are missing or damaged.

    A built-in model gets forms that are read fast; of others only what the adapter changes is written anew. What
    cannot be made leaves the model as it came, and says so. `trust`: files that look as they did are not read now,
    see `Prepared.proof`. Blocks.
    """
    if found.adapter is None and not found.builtin:
        return as_it_came(found)
    try:
        place = models_directory(os.environ) if place is None else place
        return (_prepare_on_trust(found, place) if trust else None) or _prepare(found, progress, place)
    except (OSError, ImportError, MemoryError, WeightsError) as problem:
        words = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        return as_it_came(found, words or type(problem).__name__)


def models_directory(env: Mapping[str, str]) -> Path:
    """Where files lie that were written anew. `OSError` if there is no home."""
    if assets := env.get("HF_ASSETS_CACHE"):
        root = Path(assets).expanduser()
    elif home := env.get("HF_HOME"):
        root = Path(home).expanduser() / "assets"
    else:
        try:
            # As `huggingface_hub` has it, whose import takes half a second.
            caches = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        except RuntimeError as problem:
            raise OSError(f"this user has no home directory: {problem}") from problem
        root = caches / "huggingface" / "assets"
    return root / "antiphon" / "models"


def _prepare(found: ResolvedModel, progress: Progress, place: Path) -> Prepared:
    changes = _changes(found)
    with ThreadPoolExecutor(2) as threads:
        sources = _sources(found, changes)
        digests = dict(zip(sources, threads.map(_digest, sources), strict=True))
        paths = _paths(found, place, changes, digests)
        whole = list(threads.map(is_whole, paths))
    for path, change, done in zip(paths, changes, whole, strict=True):
        if not done:
            _make(found, change, path, progress)
    Stamps(place / _STAMPS).keep(digests | dict.fromkeys(paths, ""))
    return _prepared(found, paths)


def _prepare_on_trust(found: ResolvedModel, place: Path) -> Prepared | None:
    """What was prepared before; None where something does not look as it did then."""
    stamps, changes = Stamps(place / _STAMPS), _changes(found)
    known = {path: stamps.digest(path) for path in _sources(found, changes)}
    digests = {path: digest for path, digest in known.items() if digest is not None}
    if len(digests) < len(known):
        return None
    paths = _paths(found, place, changes, digests)
    if any(stamps.digest(path) is None for path in paths):
        return None

    def proof() -> bool:
        with ThreadPoolExecutor(2) as threads:
            return all(threads.map(is_whole, paths)) and [*threads.map(_digest, digests)] == [*digests.values()]

    return replace(_prepared(found, paths), proof=proof)


def _changes(found: ResolvedModel) -> list[Path | None]:
    """What the files are to be merged with, a file each."""
    adapter = found.adapter
    wanted: list[Path | None] = []
    if found.builtin and (adapter is None or adapter.for_tools):
        wanted.append(None)
    if adapter is not None:
        wanted.append(adapter.path)
    return wanted


def _sources(found: ResolvedModel, changes: Sequence[Path | None]) -> list[Path]:
    return [found.path, *(path for path in changes if path is not None)]


def _paths(
    found: ResolvedModel, place: Path, changes: Sequence[Path | None], digests: Mapping[Path, str]
) -> list[Path]:
    source = digests[found.path]
    return [place / _name(found, change, (source, *([digests[change]] if change else ()))) for change in changes]


def _prepared(found: ResolvedModel, paths: Sequence[Path]) -> Prepared:
    if len(paths) == 2:
        return Prepared(paths[0], for_tools=paths[1])
    if found.adapter is not None and found.adapter.for_tools:
        return Prepared(found.path, for_tools=paths[0])
    return Prepared(paths[0])


def _name(found: ResolvedModel, change: Path | None, digests: tuple[str, ...]) -> str:
    key = hashlib.sha256("\n".join((FORM, str(found.builtin), *digests)).encode()).hexdigest()[:16]
    stem = found.path.stem if change is None else f"{found.path.stem}+{change.stem}"
    return f"{stem}-{key}.gguf"


def is_whole(path: Path) -> bool:
    """Whether the file is there, and is what was written."""
    try:
        with path.open("rb") as file:
            left = os.fstat(file.fileno()).st_size - _END
            return left > 0 and _hashed(file, left) == file.read()
    except OSError:
        return False


def _make(found: ResolvedModel, change: Path | None, path: Path, progress: Progress) -> None:
    """Write one file; raises `OSError`, `WeightsError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        if is_whole(path):  # by another server, while this one waited for it
            return
        _sweep(path.parent)
        todo = plan(found.path, change, quicken=found.builtin)
        if shutil.disk_usage(path.parent).free < todo.size + _SPARE:
            raise OSError(0, f"the disk has no room for {todo.size / 1e6:.0f} MB in {path.parent}")
        shown = f"Writing {found.id}{' with its adapter' if change else ''} anew, once"
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            progress(shown, done, todo.size)

        handle, name = tempfile.mkstemp(_HALF, path.stem, path.parent)
        half = Path(name)
        try:
            with os.fdopen(handle, "w+b") as file:
                write(todo, file, told)
                file.seek(0)
                file.write(_hashed(file, todo.size))
            half.replace(path)
        except BaseException:
            half.unlink(missing_ok=True)
            raise


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """Hold others back that would write the same; where the system cannot, they write it too, to no harm."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with path.with_suffix(".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sweep(place: Path) -> None:
    """Remove what a server that was killed has left half written."""
    for half in place.glob(f"*{_HALF}"):
        with contextlib.suppress(OSError):
            if time.time() - half.stat().st_mtime > _STALE:
                half.unlink()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hashed(file: BinaryIO, size: int) -> bytes:
    """How a file ends whose first `size` bytes are those of this one; it stands behind them then."""
    digest = hashlib.sha256()
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            break
        digest.update(piece)
        size -= len(piece)
    return _MARK + digest.digest()
