"""The file with the keys that seal thinking: where it lies, how it is read, and how the first start makes it."""

import contextlib
import logging
import os
import shlex
import stat
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.config import ThinkingSettings
from antiphon.config.keys import KEY_BYTES, NEW_KEY, keys_in
from antiphon.ports.system import Entropy
from antiphon.seals import Seals
from antiphon.stores.state import state_folder

_log = logging.getLogger("antiphon.seals")

_PRIVATE: Final = 0o600

_NAME: Final = "thinking.key"

_HEADER: Final = "# Thinking is sealed with the first of these keys and opens with every one. Keep them secret.\n"

ELSEWHERE: Final = f"name another with --thinking-key-file, or set ANTIPHON_THINKING_KEYS ({NEW_KEY} makes a key)"
"""What to do about a file that is of no use."""


class KeyFileError(Exception):
    """The file holds something else than keys. The text names it and the line, and says what to do."""


@dataclass(frozen=True, slots=True)
class KeysDescription:
    """The keys that seal thinking, looked at without making any.

    `place`: where they are, or will be made; `count` 0 = none yet. `exposed`: the command that hides the file from
    others. `unreachable`: why it can be neither read nor made. `wrong`: what else it holds than keys.
    """

    place: str
    count: int = 0
    exposed: str = ""
    unreachable: str = ""
    wrong: str = ""


def seals_for(thinking: ThinkingSettings, entropy: Entropy, env: Mapping[str, str]) -> Seals:
    """The seals that the settings amount to; see `keys_for`."""
    return Seals(keys_for(thinking, entropy, env))


def keys_for(thinking: ThinkingSettings, entropy: Entropy, env: Mapping[str, str]) -> tuple[bytes, ...]:
    """The keys of these seals; the key file is made where it is asked for and missing.

    Where it can be neither read nor made, the seals end with this process, and the log warns of that. Raises
    `KeyFileError`.
    """
    if thinking.keys:
        return thinking.keys
    try:
        path = key_path(thinking.key_file, env)
        keys = _read_or_make(path, entropy)
    except OSError as problem:
        _log.warning(
            "the file with the keys that seal thinking can be neither read nor made: %s. This process seals with a "
            "key that ends with it: after the next start these seals will not verify. Mend that, or %s.",
            problem,
            ELSEWHERE,
        )
        return (entropy.bytes(KEY_BYTES),)
    if remedy := _exposed(path):
        _log.warning("others can get at the keys in %s, and with them read and forge thinking. Run: %s", path, remedy)
    return keys


def describe_keys(thinking: ThinkingSettings, env: Mapping[str, str]) -> KeysDescription:
    """Which keys `seals_for` would find."""
    if thinking.keys:
        return KeysDescription("the settings", len(thinking.keys))
    place = thinking.key_file or f"antiphon/{_NAME}"
    try:
        path = key_path(thinking.key_file, env)
        place = str(path)
        return KeysDescription(place, len(_read(path)), exposed=_exposed(path))
    except FileNotFoundError:
        return KeysDescription(place, unreachable=_obstacle(Path(place)))
    except KeyFileError as problem:
        return KeysDescription(place, wrong=str(problem))
    except OSError as problem:
        return KeysDescription(place, unreachable=str(problem))


def key_path(configured: str | None, env: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where the key file lies: as configured, else in the user's state directory. `OSError` if there is no home."""
    if configured is None:
        return state_folder(env, platform) / _NAME
    try:
        return Path(configured).expanduser()
    except RuntimeError as problem:
        raise OSError(f"this user has no home directory: {problem}") from problem


def _read_or_make(path: Path, entropy: Entropy) -> tuple[bytes, ...]:
    try:
        return _read(path)
    except FileNotFoundError:
        _make(path, entropy.bytes(KEY_BYTES))
    return _read(path)


def _read(path: Path) -> tuple[bytes, ...]:
    try:
        return keys_in(path.read_text("utf-8-sig"))
    except ValueError as wrong:
        detail = "this is not text" if isinstance(wrong, UnicodeDecodeError) else str(wrong)
        raise KeyFileError(
            f"{path}: {detail}; a key file has one key of {KEY_BYTES} bytes in base64 a line, such as {NEW_KEY} "
            f"makes. Correct it, remove it, or {ELSEWHERE}"
        ) from None


def _make(path: Path, key: bytes) -> None:
    """A file with this key, whole from the first moment on; one that another process has made meanwhile stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = f"{_HEADER}{b64encode(key).decode()}\n".encode()
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # only its owner may read that
    try:
        _write(handle, text)
        with contextlib.suppress(FileExistsError):
            _publish(draft, path, text)
    finally:
        os.unlink(draft)


def _publish(draft: str, path: Path, text: bytes) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: there the file is empty for a moment
        _write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), text)


def _write(handle: int, text: bytes) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)


def _exposed(path: Path) -> str:
    """The command that hides the file from other users; empty where it is hidden."""
    if os.name != "posix" or not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return ""
    return f"chmod 600 {shlex.quote(str(path))}"


def _obstacle(path: Path) -> str:
    """Why a file that is not there cannot be made; empty where it can."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"nothing can be made in {folder}"
