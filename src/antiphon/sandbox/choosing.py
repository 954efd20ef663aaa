"""Which driver runs code here: the one that the owner names, or the first that works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from antiphon.config import ANY_SANDBOX, SandboxSettings
from antiphon.ports.sandbox import SandboxDriver
from antiphon.sandbox.bubblewrap.driver import BubblewrapDriver
from antiphon.sandbox.containers.driver import ContainerDriver
from antiphon.sandbox.python import python_for

GROUP: Final = "antiphon.sandboxes"
"""The entry points of an owner's own drivers: functions from the folder that they may use to a `SandboxDriver`."""

BUILT_IN: Final = ("bubblewrap", "podman", "docker")
"""In the order in which they are tried."""

_METHODS: Final = ("probe", "open", "exists", "discard", "aclose")


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying a driver. `problem`: why it does not work, and what would help; None: it does."""

    name: str
    problem: str | None


class NoSuchDriver(Exception):  # noqa: N818 - reads as what happened
    """No driver of this name can be made. The text says which there are."""


async def choose(
    settings: SandboxSettings, folder: Path, libraries: Path | None
) -> tuple[SandboxDriver | None, tuple[Tried, ...]]:
    """The driver, where one works, and what was tried. Raises `NoSuchDriver`."""
    tried: list[Tried] = []
    for name in BUILT_IN if settings.driver == ANY_SANDBOX else (settings.driver,):
        driver = driver_of(name, settings, folder, libraries)
        tried.append(Tried(name, await driver.probe()))
        if tried[-1].problem is None:
            return driver, tuple(tried)
        await driver.aclose()
    return None, tuple(tried)


def driver_of(name: str, settings: SandboxSettings, folder: Path, libraries: Path | None) -> SandboxDriver:
    """The driver of a name, not yet tried; what it keeps lies in `folder`. Raises `NoSuchDriver`."""
    made: Mapping[str, Callable[[], SandboxDriver]] = {
        "bubblewrap": lambda: BubblewrapDriver(folder, python_for(libraries)),
        "podman": lambda: ContainerDriver("podman", folder, settings.image),
        "docker": lambda: ContainerDriver("docker", folder, settings.image),
    }
    return made[name]() if name in made else _own(name, folder)


def _own(name: str, folder: Path) -> SandboxDriver:
    found = {point.name: point for point in entry_points(group=GROUP)}
    point = found.get(name)
    if point is None:
        known = ", ".join(["auto", *BUILT_IN, "none", *found])
        raise NoSuchDriver(
            f"[sandbox] driver: no installed package brings a driver called {name} (there are: {known}); "
            f"one of your own is an entry point of the group {GROUP}"
        )
    try:
        driver: Any = point.load()(folder)
    except Exception as problem:  # the owner's own code may raise anything
        raise NoSuchDriver(f"[sandbox] driver {name}: {point.value} failed: {problem!r}") from problem
    if missing := [method for method in _METHODS if not callable(getattr(driver, method, None))]:
        raise NoSuchDriver(f"[sandbox] driver {name}: {point.value} made no driver: it lacks {', '.join(missing)}")
    return driver
