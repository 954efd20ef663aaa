"""How `bwrap` is called: what a command sees, and with which rights it runs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from antiphon.ports.sandbox import WORKSPACE, Mount
from antiphon.sandbox.places import TEMPORARY, Places
from antiphon.sandbox.surroundings import HOSTNAME

NESTED_USER: Final = 1000
"""Who a command is in a user namespace of its own."""

_SYSTEM: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SHARED_MEMORY: Final = 64 * 1024 * 1024
_NAMESPACES: Final = (
    "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--die-with-parent", "--new-session", "--hostname", HOSTNAME, "--clearenv", "--cap-drop", "ALL",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Open files that `bwrap` is given: where it says who it has started, what it waits for, the filter."""

    info: int
    gate: int
    filter: int

    @property
    def all(self) -> tuple[int, int, int]:
        """Each of them."""
        return (self.info, self.gate, self.filter)


@dataclass(frozen=True, slots=True)
class View:
    """What commands of one sandbox see. `etc`: the made-up one; `borrowed`: what of the machine's own lies in it.

    `user`: whose files the workspace's are on this machine; None: the server's own user, who is not root.
    """

    places: Places
    etc: Path
    borrowed: tuple[tuple[Path, str], ...]
    mounts: tuple[Mount, ...]
    user: int | None


def arguments(
    program: str, view: View, given: Descriptors, environment: Mapping[str, str], argv: Sequence[str]
) -> list[str]:
    """The whole command line."""
    return [
        program,
        *_NAMESPACES,
        *_rights(view.user),
        *_system(view),
        *("--bind", str(view.places.workspace), WORKSPACE),
        *("--bind", str(view.places.temporary), TEMPORARY),
        *_mounted(view.mounts),
        *("--remount-ro", "/", "--chdir", WORKSPACE),
        *("--info-fd", str(given.info), "--block-fd", str(given.gate), "--seccomp", str(given.filter)),
        "--",
        *_dropped(view.user),
        # Set by the last program before the command's own: what it may say must not steer those before.
        *("/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environment.items())),
        *argv,
    ]


def _rights(user: int | None) -> list[str]:
    if user is None:
        return ["--unshare-user", "--uid", str(NESTED_USER), "--gid", str(NESTED_USER)]
    # Root reaches folders that an ordinary user's `bwrap` would not, and then becomes one that nobody else is.
    return ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


def _dropped(user: int | None) -> list[str]:
    if user is None:
        return []
    who = ["--reuid", str(user), "--regid", str(user), "--clear-groups"]
    return ["/usr/bin/setpriv", *who, "--inh-caps=-all", "--no-new-privs"]


def _system(view: View) -> list[str]:
    said = ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            said += ["--symlink", os.readlink(path), f"/{name}"]
        elif path.is_dir():
            said += ["--ro-bind", str(path), f"/{name}"]
    said += ["--ro-bind", str(view.etc), "/etc"]
    for source, target in view.borrowed:
        said += ["--ro-bind", str(source), target]
    said += ["--proc", "/proc", "--dev", "/dev"]
    said += ["--perms", "1777", "--size", str(_SHARED_MEMORY), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    return said


def _mounted(mounts: Sequence[Mount]) -> list[str]:
    said: list[str] = []
    made: set[PurePosixPath] = set()
    for mount in mounts:
        # In order from the top; `bwrap` by itself makes folders that only root may enter.
        for parent in reversed(PurePosixPath(mount.target).parents):
            if parent != PurePosixPath("/") and parent not in made:
                made.add(parent)
                said += ["--perms", "0755", "--dir", str(parent)]
        said += ["--ro-bind", mount.source, mount.target]
    return said
