"""What people are shown as a model's name, where its file calls itself by the run that trained it."""

import re
from pathlib import PurePath
from typing import Final

# Words of a run, not of a model: an epoch, a step, a mixture of data, a learning rate, a commit; or a directory.
_OF_A_RUN: Final = re.compile(
    r"(?:ep|epochs?|steps?|iters?|mix|lc|lr|bs|seed|run|ckpt|checkpoint)\d+[km]?|ckpt|checkpoint|\d+e-\d+"
    r"|(?=[a-f]*\d)[0-9a-f]{12,}",
    re.IGNORECASE,
)
_OF_NOBODY: Final = frozenset(
    {"", "model", "models", "hf", "output", "merged", "snapshots", "tmp", "unsloth", "test"}
)
_FORMAT: Final = re.compile(r"[-._](?:i?q\d\w*|(?:ud[-_])i?q\d\w*|bf16|f16|f32|fp16|mxfp4\w*|gguf)$", re.IGNORECASE)
_PART: Final = re.compile(r"-\d{5}-of-\d{5}$")


def better_name(said: str, place: str) -> str:
    """A name from where the model lies, if what its file `said` is a run's and that is not; else empty.

    `place`: the name of its repository or its file.
    """
    if not _is_poor(said):
        return ""
    name = _PART.sub("", re.sub(r"\.gguf$", "", PurePath(place).name, flags=re.IGNORECASE))
    while (shorter := _FORMAT.sub("", name)) != name:
        name = shorter
    name = re.sub(r"[-_\s]+", " ", name).strip()
    return "" if _is_poor(name) else name


def _is_poor(name: str) -> bool:
    words = re.split(r"[\s_-]+", name.strip())
    return name.strip().lower() in _OF_NOBODY or "/" in name or any(map(_OF_A_RUN.fullmatch, words))
