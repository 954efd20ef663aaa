"""How an engine's program is called for one command in one container."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from antiphon.ports.sandbox import WORKSPACE, Limits, Mount
from antiphon.sandbox.places import TEMPORARY, Places
from antiphon.sandbox.surroundings import HOSTNAME

LABEL: Final = "antiphon.server"
"""Which server a container is of, so that the next one finds what a killed one has left."""

GVISOR: Final = "runsc"

_SHARED_MEMORY: Final = 64 * 1024 * 1024
_OPEN_FILES: Final = 1024


@dataclass(frozen=True, slots=True)
class Call:
    """Who is called for what. `server`: the number of the server's process. `user`: whose the workspace's files are;
    None: the server's own user's. `gvisor`: the container runs on a kernel of its own."""

    program: str
    name: str
    server: int
    image: str
    places: Places
    user: int | None
    gvisor: bool = False


def arguments(
    call: Call, limits: Limits, mounts: Sequence[Mount], environment: Mapping[str, str], argv: Sequence[str]
) -> list[str]:
    """The whole command line."""
    return [
        *(call.program, "run", "--interactive", "--init", "--name", call.name, "--label", f"{LABEL}={call.server}"),
        *(["--runtime", GVISOR] if call.gvisor else []),
        *("--pull", "never", "--network", "none", "--hostname", HOSTNAME, "--read-only", *_user(call)),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--ipc", "private"),
        *("--shm-size", str(_SHARED_MEMORY), "--memory", str(limits.memory), "--memory-swap", str(limits.memory)),
        *("--pids-limit", str(limits.processes), "--cpu-shares", "256"),
        *("--ulimit", "core=0:0", "--ulimit", f"fsize={limits.file_size}:{limits.file_size}"),
        *("--ulimit", f"nofile={_OPEN_FILES}:{_OPEN_FILES}"),
        *_bound(str(call.places.workspace), WORKSPACE),
        *_bound(str(call.places.temporary), TEMPORARY),
        *(said for mount in mounts for said in _bound(mount.source, mount.target, read_only=True)),
        *("--workdir", WORKSPACE, "--entrypoint", "/usr/bin/env"),
        call.image,
        *(f"{name}={value}" for name, value in environment.items()),
        *argv,
    ]


def _user(call: Call) -> list[str]:
    if call.user is not None:
        return ["--user", f"{call.user}:{call.user}"]
    # Without root, Podman's own user namespace would make files another's.
    keep = ["--userns", "keep-id"] if PurePath(call.program).name == "podman" else []
    return [*keep, "--user", f"{os.getuid()}:{os.getgid()}"]


def _bound(source: str, target: str, *, read_only: bool = False) -> tuple[str, str]:
    return ("--mount", f'type=bind,"source={source}",target={target}{",readonly" if read_only else ""}')
