"""`[files]`: what uploaded files may take."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Whole
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class FileSettings:
    """`quota`: bytes that the files of all workspaces may have together."""

    quota: int = 1_000_000_000_000


_key = partial(key_of, "files", FileSettings())

FILES: Final = Table(
    "files",
    "What uploaded files may take.",
    FileSettings,
    (
        _key(
            "quota",
            Whole(0, None, "BYTES"),
            "Bytes that all files of the Files API may have together, those of all keys. An upload beyond it is "
            "refused.",
        ),
    ),
)
