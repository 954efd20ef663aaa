"""`[sandbox]`: where code that models write is run."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Number, Text, Whole
from antiphon.config.option import Table, key_of

NO_SANDBOX: Final = "none"
"""No code is run."""

ANY_SANDBOX: Final = "auto"
"""The first driver that works."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """`driver`: by its name, or the first that works. The others bound one sandbox; sizes are bytes.

    `python`: the folder of the libraries that code finds (None: where `antiphon sandbox install` puts them).
    `image`: what containers are made of. `lifetime`: seconds that a container is kept behind its last use.
    `restorable`: seconds that its files are kept packed after that; 0: they are not. `archive`: bytes that they may
    have, packed.
    """

    driver: str = ANY_SANDBOX
    memory: int = 2 * 1024**3
    processes: int = 128
    disk: int = 2 * 1024**3
    files: int = 50_000
    file_size: int = 1024**3
    python: str | None = None
    image: str = "python:3.11-slim"
    lifetime: float = 300.0
    restorable: float = 30.0 * 86_400
    archive: int = 256 * 1024**2


_key = partial(key_of, "sandbox", SandboxSettings())

SANDBOX: Final = Table(
    "sandbox",
    "Where code that models write is run. See docs/sandbox.md.",
    SandboxSettings,
    (
        _key(
            "driver",
            Text("auto, bubblewrap, docker, podman, none, or the name of a driver of your own", "NAME"),
            "What runs it: bubblewrap, docker, podman, a driver of your own, or none. auto takes the first of "
            "bubblewrap, podman and docker that works.",
        ),
        _key(
            "memory", Whole(64 * 1024**2, None, "BYTES"), "Memory that the processes of a sandbox may have together."
        ),
        _key("processes", Whole(8, 100_000), "Processes that a sandbox may have at once."),
        _key("disk", Whole(1024**2, None, "BYTES"), "Bytes that a sandbox may have on the disk."),
        _key("files", Whole(16, 10_000_000), "Files and folders that a sandbox may have."),
        _key("file_size", Whole(4096, None, "BYTES"), "Bytes that one file in a sandbox may have."),
        _key(
            "python",
            Text("a directory", "DIR"),
            "The folder of the Python libraries that code finds, which antiphon sandbox install makes.",
            unset="antiphon/sandbox in the user's cache directory",
        ),
        _key("image", Text("an image", "IMAGE"), "The image that docker and podman make a sandbox of."),
        _key(
            "lifetime",
            Number(60, 30 * 86_400, "SECONDS"),
            "Seconds that the files of a container lie ready behind its last use. What runs in it ends after five "
            "minutes without a use all the same.",
        ),
        _key(
            "restorable",
            Number(0, 365 * 86_400, "SECONDS"),
            "Seconds that the files of a container are kept packed after that, to be unpacked when a request names "
            "it. 0: they are taken away.",
        ),
        _key(
            "archive",
            Whole(4096, None, "BYTES"),
            "Bytes that the files of a container may have when they are packed; what is more is taken away.",
        ),
    ),
)
