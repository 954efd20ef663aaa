"""The three networks that read: found in RapidOCR's wheel, loaded once a process, kept warm between pictures."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from antiphon.media.available import READING_THREADS, networks

Pixels = NDArray[np.float32]

_QUIET: Final = 4


class Network:
    """A network that takes one array and gives one."""

    def __init__(self, file: Path, threads: int) -> None:
        import onnxruntime

        runtime: Any = onnxruntime
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        # What an arena has taken for one picture it never gives back.
        options.enable_cpu_mem_arena = False
        # Two layers of the finder otherwise spend three quarters of its time on numbers too small to matter. What the
        # first network of a process says of this holds for all of them.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        # Waiting threads would spend the processor time that the picture has.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._name: str = self._session.get_inputs()[0].name

    def run(self, given: Pixels) -> Pixels:
        """What the network makes of it; may be asked in several threads at once."""
        found: Pixels = self._session.run(None, {self._name: given})[0]
        return found

    @property
    def characters(self) -> tuple[str, ...]:
        """What the network that reads can write, by the number of its outputs: 0 is nothing, the last a space."""
        known: str = self._session.get_modelmeta().custom_metadata_map["character"]
        return ("", *known.split("\n")[: len(known.splitlines())], " ")


@cache
def finder() -> Network:
    """The network that finds text."""
    return Network(_files()[0], READING_THREADS)


@cache
def reader() -> Network:
    """The network that reads a line: one thread a line costs a third less than two that share it."""
    return Network(_files()[1], 1)


@cache
def turner() -> Network:
    """The network that tells whether a line stands on its head."""
    return Network(_files()[2], 1)


def _files() -> tuple[Path, Path, Path]:
    files = networks()
    if files is None:
        raise RuntimeError("text in pictures cannot be read here")
    return files
