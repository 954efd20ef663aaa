"""The Python that sandboxes have: an interpreter of this machine, and the libraries beside it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import Mount

INTERPRETER: Final = "/opt/python"
LIBRARIES: Final = "/opt/libraries"


@dataclass(frozen=True, slots=True)
class Python:
    """`mounts`: what a sandbox has to see for it. `folders`: where its programs are. `version`: such as 3.11.

    `environment`: what its commands are told of it.
    """

    mounts: tuple[Mount, ...]
    folders: tuple[str, ...]
    version: str
    environment: Mapping[str, str]


def python_for(libraries: Path | None) -> Python:
    """The server's own interpreter, wherever it is installed, with these libraries or with none beside its own."""
    prefix = Path(sys.base_prefix).resolve()
    mounts: list[Mount] = []
    folders: list[str] = []
    environment: dict[str, str] = {}
    if not prefix.is_relative_to("/usr"):
        mounts.append(Mount(str(prefix), INTERPRETER))
        folders.append(f"{INTERPRETER}/bin")
        if any(prefix.glob("lib/libpython*.so*")):
            # Its program names its library by where it was built to be.
            environment["LD_LIBRARY_PATH"] = f"{INTERPRETER}/lib"
    elif prefix != Path("/usr"):
        folders.append(f"{prefix}/bin")
    if libraries is not None and libraries.is_dir():
        mounts.append(Mount(str(libraries), LIBRARIES))
        folders.append(f"{LIBRARIES}/bin")
        environment["PYTHONPATH"] = LIBRARIES
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Python(tuple(mounts), tuple(folders), version, environment)
