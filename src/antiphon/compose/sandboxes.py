"""Where this server runs code: the driver, found and tried at the start."""

import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from antiphon.compose.observer import StartError
from antiphon.config import ANY_SANDBOX, NO_SANDBOX, SandboxSettings, Settings
from antiphon.ports.sandbox import Command, Finished, Limits, Sandboxes, SandboxProblem
from antiphon.sandbox.choosing import NoSuchDriver, Tried, choose
from antiphon.sandbox.libraries import cached
from antiphon.stores.place import data_folder

MEETING: Final = "pythons"
"""The folder in which processes of a machine find each other's Pythons."""

_FOLDER: Final = "sandboxes"
_ONCE: Final = "once"
_SECONDS: Final = 60.0
_OUTPUT: Final = 1024 * 1024

log = logging.getLogger(__name__)


async def open_sandboxes(settings: Settings, running: AsyncExitStack) -> Sandboxes | None:
    """The driver of the settings and what each sandbox may use; it is closed with `running`. None: no code is run.

    Raises `StartError` where the owner has named a driver that does not work.
    """
    given = settings.sandbox
    if given.driver == NO_SANDBOX:
        return None
    folder = folder_in(settings, _FOLDER)
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="antiphon-"))
        running.callback(shutil.rmtree, folder, ignore_errors=True)
    try:
        driver, tried = await choose(given, folder, libraries_of(settings))
    except NoSuchDriver as problem:
        raise StartError(str(problem)) from problem
    if driver is None:
        if given.driver != ANY_SANDBOX:
            raise StartError(f"the sandbox {given.driver} does not work: {tried[0].problem}")
        log.info("code is not run: %s", "; ".join(f"{one.name}: {one.problem}" for one in tried))
        return None
    running.push_async_callback(driver.aclose)
    return Sandboxes(driver, limits_of(given))


async def try_sandboxes(settings: Settings) -> tuple[Tried, ...]:
    """What comes of trying the drivers of the settings; the last one works, if any does. Raises `NoSuchDriver`."""
    if settings.sandbox.driver == NO_SANDBOX:
        return ()
    with tempfile.TemporaryDirectory(prefix="antiphon-", ignore_cleanup_errors=True) as folder:
        driver, tried = await choose(settings.sandbox, Path(folder), libraries_of(settings))
        if driver is not None:
            await driver.aclose()
    return tried


async def run_once(settings: Settings, argv: Sequence[str]) -> Finished:
    """What comes of a command in a sandbox that nothing is left of. Raises `NoSuchDriver` or `SandboxProblem`."""
    with tempfile.TemporaryDirectory(prefix="antiphon-", ignore_cleanup_errors=True) as folder:
        driver, tried = await choose(settings.sandbox, Path(folder), libraries_of(settings))
        if driver is None:
            problems = "; ".join(f"{one.name}: {one.problem}" for one in tried)
            raise SandboxProblem("unavailable", f"no code can be run: {problems or 'no driver is configured'}")
        try:
            sandbox = await driver.open(_ONCE, limits_of(settings.sandbox))
            return await sandbox.run(Command(tuple(argv), _SECONDS, _OUTPUT))
        finally:
            await driver.discard(_ONCE)
            await driver.aclose()


def limits_of(given: SandboxSettings) -> Limits:
    """What one sandbox may use."""
    return Limits(given.memory, given.processes, given.disk, given.files, given.file_size)


def libraries_of(settings: Settings) -> Path | None:
    """The folder of the Python libraries that sandboxes see, where it can be said."""
    given = settings.sandbox.python
    return cached(os.environ) if given is None else Path(given).expanduser().absolute()


def folder_in(settings: Settings, name: str) -> Path | None:
    """A folder of this machine beside what else this server keeps; None where it keeps nothing."""
    try:
        return data_folder(settings.stores.data, os.environ) / name if settings.stores.kept else None
    except OSError:
        return None
