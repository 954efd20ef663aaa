"""`[prompt_cache]`: marked prefixes of prompts, which models that run here need not read again."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Switch, Text, Whole
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """Whether what models here have read of marked prefixes is kept (`keep`), in how many bytes of memory, and in how
    many bytes of files (0 = in none) in which directory (None: the user's cache). Each model has as much memory; the
    directory is shared by all."""

    keep: bool = True
    memory: int = 512 * 1024 * 1024
    files: int = 2 * 1024 * 1024 * 1024
    directory: str | None = None


_key = partial(key_of, "prompt_cache", CacheSettings())

PROMPT_CACHE: Final = Table(
    "prompt_cache",
    "Prompt caching: what models that run here have read of prefixes with cache marks, kept beyond their slot.",
    CacheSettings,
    (
        _key(
            "keep",
            Switch(),
            "Keep what was read of marked prefixes, for as long as their marks say. Without it they can be read "
            "while the engine happens to have them.",
        ),
        _key(
            "memory",
            Whole(0, None, "BYTES"),
            "Memory of each model for them; a prefix that takes more is not kept. What nobody has asked for longest "
            "goes first.",
        ),
        _key(
            "files",
            Whole(0, None, "BYTES"),
            "Disk space for all of them, so that they outlive the process; 0 = no files. They hold the tokens of "
            "prompts, readable by this user alone.",
        ),
        _key(
            "directory",
            Text("the path of a directory", "PATH"),
            "Where these files are; several servers may share it.",
            unset="antiphon/prompts in $XDG_CACHE_HOME, or in ~/.cache",
        ),
    ),
)
