"""The program that runs llama.cpp, in a process of its own: a crash in native code must not take the server down.

    stdin   one JSON line, a `Load`; then nothing. Its end means that the parent is gone, and ends the child.
    stdout  one JSON line: {"ready": {…}} with the fields of `Ready`, or {"error": "…"}; where a second model is to be
            loaded, one line more of the same kind, about that one
    stderr  llama.cpp's own log

A second model is loaded by a second process of this program, when the first one has answered: so it is there for who
needs it a second later, and keeps nobody else waiting. Both end together.

The key comes by stdin, because arguments and environment are visible to other processes. The program is started as a
file, not as a module, so that it loads nothing of Antiphon: no name is imported here that the standard library and
`xllamacpp` do not have.
"""

import ctypes
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

CPU_BATCH: Final = 64

GPU_BATCH: Final = 512

STEP: Final = 0.5
FAST_STEP: Final = 1.0
"""Seconds that a step of reading should take on a CPU: it cannot be interrupted. Of forms that are read fast, longer
ones pay: 158, 174 and 182 tokens of a prompt a second of processor time in steps of 96, 192 and 256. A Q4_1 is read
as slowly in steps of 160 as of 64."""

PACE: Final = 7_000.0
FAST_PACE: Final = 17_000.0
"""What a core reads: tokens a second times megabytes of the model. Measured on AVX2 cores with 135 M weights: 7,400
with
Q4_1, which is the slowest, 17,400 with Q8_0."""

_GRAIN: Final = 32

CACHE_LIMIT: Final = 8 * 1024 * 1024 * 1024

_PR_SET_PDEATHSIG: Final = 1

_WARNINGS: Final = 2

_SPARE_HTTP_THREADS: Final = 8

_SPIN_COUNT: Final = 1000

_PIECE: Final = 1024 * 1024

_PAGE: Final = 4096

_CACHE_LIKE: Final = 32 * _PIECE

_LOOKED_AT: Final = 16 * _PIECE

_MADV_DONTNEED: Final = 4

_MAPPED: Final = 2
"""What glibc's `malloc` notes beside the size of an allocation that has pages of its own."""

# A message as it is: so the server counts what a picture costs, whatever the model's own template puts around it.
_BARE_TEMPLATE: Final = "{{ messages[0]['content'] }}"


@dataclass(frozen=True, slots=True)
class Load:
    """What to load, and how. `context`: tokens of one conversation. Zero or less leaves `threads`, `gpu_layers` and
    `batch` to the machine. `least_batch`: a batch is not smaller. `projector`: empty for a model that sees nothing;
    `marker`: what stands for a picture in a prompt's text. `adapter`: empty for the model as it is. `puts_aside`:
    what leaves its slot is kept in memory. `second`: a model to be loaded beside it, with slots of its own, empty for
    none. `size`: the first model's bytes, 0 where they are not known; `pace`: see `PACE`; `second_size` and
    `second_pace`: those of the second. `is_second`: this one is that other model, and shares the memory with the
    first. `kept_in`: the directory of the files that slots are saved to, empty where none is."""

    path: str
    key: str
    context: int
    parallel: int
    threads: int
    gpu_layers: int
    batch: int
    least_batch: int = 0
    projector: str = ""
    marker: str = ""
    adapter: str = ""
    puts_aside: bool = True
    second: str = ""
    size: int = 0
    pace: float = PACE
    second_size: int = 0
    second_pace: float = PACE
    is_second: bool = False
    kept_in: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """A model is loaded: where its server listens, what it runs on, and what was chosen."""

    address: str
    device: str
    threads: int
    batch: int


def main() -> None:
    """Load, say so, and serve until standard input ends."""
    # Ctrl-C reaches every process of the terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # native code prints where it likes: the answer's line stays clean
    load = Load(**json.loads(sys.stdin.buffer.readline()))

    def say(answer: Mapping[str, object]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        server, ready = _serve(load)
    except Exception as problem:
        say({"error": str(problem) or type(problem).__name__})
        sys.exit(1)
    say({"ready": asdict(ready)})
    if load.second:
        say(_beside(second_of(load)))
    sys.stdin.buffer.read()
    del server
    os._exit(0)  # destructors of native threads may hang, and there is nothing to save


def _serve(load: Load) -> tuple[Any, Ready]:
    _wait_idly()
    import xllamacpp

    native: Any = xllamacpp
    device = _accelerator(native)
    threads = load.threads if load.threads > 0 else _cores()
    chosen = GPU_BATCH if device else step_of(load.size, load.pace, threads)
    batch = max(load.least_batch, load.batch if load.batch > 0 else chosen)
    if load.projector:
        os.environ["LLAMA_MEDIA_MARKER"] = load.marker
    settings = _settings(native, load, load.path, threads, batch, 2 if load.second or load.is_second else 1)
    if not device:
        # Only a GPU has a memory that the layers may not fit in: the model is not loaded twice to find that out. And
        # only a GPU has programs to compile first.
        settings.fit_params = settings.warmup = False
    server = native.Server(settings)
    return_zeros()
    return server, Ready(str(server.listening_address), device or "CPU", threads, batch)


def second_of(load: Load) -> Load:
    """What the second model's process is told to load."""
    return replace(load, path=load.second, second="", size=load.second_size, pace=load.second_pace, is_second=True)


def _beside(load: Load) -> dict[str, Any]:
    """Start the second model's process, which ends with this one, and this one with it. What it answered."""
    pipe = subprocess.PIPE
    # The log is that of this process.
    process = subprocess.Popen([sys.executable, "-P", __file__], stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asdict(load)).encode() + b"\n")
    process.stdin.flush()
    answer = process.stdout.readline()

    def end_too() -> None:
        code = process.wait()
        os.write(2, f"the second model's process ended ({code})\n".encode())
        os._exit(1)

    if not answer:
        end_too()
    threading.Thread(target=end_too, daemon=True).start()
    return json.loads(answer)


def _settings(native: Any, load: Load, path: str, threads: int, batch: int, servers: int) -> Any:
    """What one of the servers is started with."""
    settings = native.CommonParams()
    settings.model.path = path
    settings.n_ctx = load.context * load.parallel
    settings.n_parallel = load.parallel
    settings.n_batch = batch
    settings.n_ubatch = min(batch, GPU_BATCH)
    settings.n_gpu_layers = load.gpu_layers
    settings.verbosity = _WARNINGS
    settings.cache_ram_mib = _cache_size() // servers // (1024 * 1024) if load.puts_aside else 0
    # What leaves its slot is put aside then; until then it would only be copied, before every prompt.
    settings.cache_idle_slots = False
    if load.kept_in:
        settings.slot_save_path = load.kept_in + os.sep
    for group in (settings.cpuparams, settings.cpuparams_batch):
        group.poll = 0  # the same for builds without OpenMP
        if threads > 0:
            group.n_threads = threads
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.api_keys = [load.key]
    settings.ui = False
    settings.n_threads_http = 2 * load.parallel + _SPARE_HTTP_THREADS
    if load.projector:
        settings.mmproj.path = load.projector
        settings.mmproj_use_gpu = load.gpu_layers != 0
        settings.chat_template = _BARE_TEMPLATE
    if load.adapter:
        adapter = native.CommonAdapterLoraInfo()
        adapter.path, adapter.scale = load.adapter, 1.0
        settings.lora_adapters = [adapter]
    return settings


def step_of(size: int, pace: float, threads: int) -> int:
    """Prompt tokens that a CPU reads in a step's seconds, about: at least `CPU_BATCH`, at most `GPU_BATCH`."""
    if size <= 0 or threads <= 0:
        return CPU_BATCH
    tokens = int((FAST_STEP if pace >= FAST_PACE else STEP) * pace * threads / (size / 1e6))
    return min(GPU_BATCH, max(CPU_BATCH, tokens - tokens % _GRAIN))


def return_zeros() -> None:
    """Give back memory that holds nothing but zeros: it is there again, as zeros, for whoever touches it.

    llama.cpp clears what the conversations' tokens will take, and so takes all of it at once: 755 MB for four of
    8,192 tokens of the default model, of which most are never written. Only for allocations of `_CACHE_LIKE` bytes
    and more that have pages of their own: nothing else lies in them, and their owner waits for a first request
    meanwhile, whose sender does not know of the server yet. Where it is not Linux with glibc, nothing is found to
    give back.
    """
    if sys.platform != "linux":
        return
    native = ctypes.CDLL(None)
    native.memcmp.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    native.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for begin, end in _own_pages():
        for place in range(begin, end - _PIECE + 1, _PIECE):
            # A first byte of 0, and every byte the one before it.
            if ctypes.string_at(place, 1) == b"\0" and not native.memcmp(place, place + 1, _PIECE - 1):
                native.madvise(place, _PIECE, _MADV_DONTNEED)


def _own_pages() -> Iterator[tuple[int, int]]:
    """Where the pages of large allocations begin and end, but for the first of each, which has its size.

    Mappings that touch are one line of the list, so allocations are looked for on each page until one is found, and
    behind its end; where the first is behind `_LOOKED_AT` bytes it is not found, to no harm.
    """
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, _, _, file, *name = line.split()
        place, end = (int(number, 16) for number in span.split("-"))
        looked_at = place + _LOOKED_AT
        while rights == "rw-p" and file == "0" and not name and place < looked_at and end - place >= _CACHE_LIKE:
            before, noted = struct.unpack("<QQ", ctypes.string_at(place, 16))
            size = noted & ~7
            if before == 0 and noted & 7 == _MAPPED and not size % _PAGE and _CACHE_LIKE <= size <= end - place:
                yield place + _PAGE, place + size
                place += size
                looked_at = place + _LOOKED_AT
            else:
                place += _PAGE


def _wait_idly() -> None:
    """Let worker threads sleep soon when they wait for each other; to be called before OpenMP is loaded.

    By default they spin for milliseconds, on the very cores that the others need. Measured with the default model on
    2 cores: 79 tokens/s alone and under 4 beside one busy process; so set, 73 and 25.
    """
    if not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}:
        os.environ["GOMP_SPINCOUNT"] = str(_SPIN_COUNT)


def _accelerator(native: Any) -> str:
    """The first GPU's description; empty where there is none."""
    for device in native.get_device_info():
        if device["type"].name.endswith("GPU"):
            return str(device["description"])
    return ""


def _cores() -> int:
    """Physical cores that this process may use; 0 (llama.cpp's own guess) where the system does not say.

    A worker more than there are cores is no small mistake: workers wait for each other at every layer.
    """
    if sys.platform != "linux":
        return 0
    allowed = os.sched_getaffinity(0)
    siblings: set[str] = set()
    for cpu in allowed:
        try:
            siblings.add(Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text())
        except OSError:
            siblings.add(str(cpu))
    return min(len(siblings), _quota() or len(siblings))


def _quota() -> int:
    """The container's share of the machine in whole cores (at least 1); 0 where it has no limit."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return 0 if limit == "max" else max(1, int(limit) // int(period))
    except (OSError, ValueError):
        return 0


def _cache_size() -> int:
    """Bytes for prompts that are out of their slot: a quarter of the memory, at most llama.cpp's own 8 GiB."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return CACHE_LIMIT
    return min(CACHE_LIMIT, memory // 4)


def _die_with_parent() -> None:
    """Linux ends this process when its parent ends, also while the model loads and standard input is not read."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
