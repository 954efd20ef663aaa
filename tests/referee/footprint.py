"""How much memory a running server takes, with the processes that read files for it and without the engine's."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

PAUSE = 0.02
_READER = "media"


@dataclass
class Footprint:
    """Bytes, the most at once so far."""

    most: int


@contextmanager
def footprint(pid: int) -> Generator[Footprint]:
    """Look at it again and again, as long as the block runs."""
    seen = Footprint(_resident(pid))
    done = threading.Event()

    def watch() -> None:
        while not done.wait(PAUSE):
            seen.most = max(seen.most, _resident(pid))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _resident(pid: int) -> int:
    server = psutil.Process(pid)
    found = server.memory_info().rss
    for child in server.children(recursive=True):
        try:
            if any(_READER in part for part in child.cmdline()):
                found += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return found
