"""What commands find around them that is the same in every sandbox: `/etc`, made up, and the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import OUTPUT, WORKSPACE, Command
from antiphon.sandbox.places import TEMPORARY

USER: Final = "user"
HOSTNAME: Final = "sandbox"

_PATH: Final = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
_BORROWED: Final = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d")
"""What of the machine's own /etc its programs do not work without; nobody's secrets."""


def environment(folders: tuple[str, ...], python: Mapping[str, str], command: Command) -> dict[str, str]:
    """The environment of a command: nothing of the server's own, and what the command says last."""
    output = {"OUTPUT_DIR": OUTPUT} if command.outputs else {}
    return {
        "PATH": ":".join((*folders, *_PATH)),
        "HOME": WORKSPACE,
        "USER": USER,
        "LOGNAME": USER,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": TEMPORARY,
        # What programs keep for themselves is not among the files of the conversation.
        "XDG_CACHE_HOME": f"{TEMPORARY}/.cache",
        "XDG_CONFIG_HOME": f"{TEMPORARY}/.config",
        "MPLBACKEND": "Agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        # As many threads as there are cores of the machine would be as many stacks.
        "OPENBLAS_NUM_THREADS": "2",
        "OMP_NUM_THREADS": "2",
        **python,
        **output,
        **command.environment,
    }


def make_etc(folder: Path, users: range) -> tuple[tuple[Path, str], ...]:
    """Write the made-up `/etc` into a folder; what of the machine's own has to be mounted in it, and where."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.chmod(0o755)
    names = "".join(f"{USER}:x:{user}:{user}:{USER}:{WORKSPACE}:/bin/sh\n" for user in users)
    groups = "".join(f"{USER}:x:{user}:\n" for user in users)
    nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    texts = {
        "passwd": f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n{names}{nobody}",
        "group": f"root:x:0:\n{groups}nogroup:x:65534:\n",
        "hosts": f"127.0.0.1 localhost {HOSTNAME}\n::1 localhost\n",
        "hostname": f"{HOSTNAME}\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "resolv.conf": "",
    }
    for name, text in texts.items():
        _write(folder / name, text)
    borrowed: list[tuple[Path, str]] = []
    for name in _BORROWED:
        own, there = Path("/etc") / name, folder / name
        if own.is_dir():
            there.mkdir(mode=0o755, exist_ok=True)
        elif own.is_file():
            _write(there, "")
        else:
            continue
        borrowed.append((own, f"/etc/{name}"))
    return tuple(borrowed)


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text)
    new.chmod(0o644)
    new.replace(path)
