"""The Python libraries that code in sandboxes finds: a folder that `antiphon sandbox install` fills."""

import asyncio
import hashlib
import os
import re
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.M)
_STEP: Final = re.compile(rb"^(?:Collecting|Using cached|Downloading) ?([A-Za-z0-9._-]*)")
_MARK: Final = ".antiphon-libraries"


class InstallProblem(Exception):  # noqa: N818 - reads as what happened
    """The libraries cannot be installed. The text says why."""


def cached(environment: Mapping[str, str]) -> Path | None:
    """Where the libraries lie when nobody says otherwise; None where this user has no home."""
    try:
        caches = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    except RuntimeError:
        return None
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Path(caches).absolute() / "antiphon" / "sandbox" / version


def pinned() -> dict[str, str]:
    """The libraries and their versions, with all that they need."""
    return dict(_NAME.findall(_list()))


def installed(folder: Path) -> bool:
    """Whether all of the libraries are there, in the versions that are pinned now."""
    try:
        return (folder / _MARK).read_text() == _stamp()
    except OSError:
        return False


async def install(folder: Path, tell: Callable[[str], None]) -> None:
    """Put the libraries there, in the place of what was there. `tell` hears the name of each that comes.

    Raises `InstallProblem`.
    """
    new = folder.with_name(f"{folder.name}.new")
    await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        new.chmod(0o755)
        await _pip(new, tell)
        (new / _MARK).write_text(_stamp())
        await asyncio.to_thread(_put_in_place, new, folder)
    except OSError as problem:
        raise InstallProblem(str(problem)) from problem
    finally:
        await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)


async def _pip(target: Path, tell: Callable[[str], None]) -> None:
    wanted = target / "requirements.txt"
    wanted.write_text(_list())
    argv = [
        *(
            sys.executable,
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar",
            "off",
        ),
        *("--only-binary", ":all:", "--no-deps", "--require-hashes", "--no-compile", "--target", str(target)),
        *("-r", str(wanted)),
    ]
    environment = {**os.environ, "PYTHONPATH": "", "PIP_REQUIRE_VIRTUALENV": "0"}
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environment, limit=1 << 20
    )
    assert process.stdout is not None
    last: list[bytes] = []
    try:
        async for line in process.stdout:
            last = [*last[-20:], line]
            if (step := _STEP.match(line.strip())) and line.startswith(b"Collecting"):
                tell(step[1].decode().partition("==")[0])
        code = await process.wait()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if code:
        raise InstallProblem(b"".join(last).decode("utf-8", "replace").strip() or f"pip ended with {code}")
    wanted.unlink()


def _put_in_place(new: Path, folder: Path) -> None:
    # Sandboxes that run meanwhile go on with what they have mounted.
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _list() -> str:
    return files("antiphon.sandbox").joinpath("libraries.txt").read_text("utf-8")


def _stamp() -> str:
    return f"{hashlib.sha256(_list().encode()).hexdigest()} {sys.version_info.major}.{sys.version_info.minor}\n"
