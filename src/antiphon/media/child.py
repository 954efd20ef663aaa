"""The program that reads files, in a process of its own: what a hostile file breaks is this process alone.

It is started as a file, with the most memory it may take (in bytes) as its argument, and answers jobs (see `frames`)
on standard output until standard input ends. It loads nothing of Antiphon but the few modules that read files.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from antiphon.media.frames import Answer, Job

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_FEW_FILES: Final = 64
_M_ARENA_MAX: Final = -8
_LENGTH: Final = 4


def main() -> None:
    """Give up what is not needed, say that all is ready, and serve."""
    # Ctrl-C reaches every process of the terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # native code prints where it likes: the answers stay clean
    _confine(int(sys.argv[1]))
    # Appended, so that nothing beside the package can take the place of a module of the standard library.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    serve(sys.stdin.buffer, answers)
    os._exit(0)  # destructors of native code may hang, and there is nothing to save


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Answer jobs until there are no more, or until memory runs out."""
    import msgspec

    from antiphon.media import documents, frames, pictures

    decoder = msgspec.msgpack.Decoder(frames.Job)

    def say(answer: "Answer") -> None:
        answers.write(frames.packed(msgspec.msgpack.encode(answer)))
        answers.flush()

    def work(job: "Job", data: bytes) -> Iterator["Answer"]:
        if isinstance(job, frames.ImageJob):
            yield pictures.read(data, job)
        elif isinstance(job, frames.DescriptionJob):
            # Imported late, and kept: what reads text takes a second to load, which no other file should wait for.
            from antiphon.media import descriptions

            yield descriptions.read(data, job)
        elif isinstance(job, frames.PdfJob):
            yield from documents.read(data, job)
        else:
            # Imported late: what reads web pages takes half a second to load, which no picture should wait for.
            from antiphon.media import articles

            yield articles.read(data, job)

    say(frames.Ready())
    while (header := _frame(jobs)) is not None and (data := _frame(jobs)) is not None:
        job = decoder.decode(header)
        _allow(job.seconds)
        try:
            for answer in work(job, data):
                say(answer)
        except frames.Refusal as refusal:
            say(refusal.answer)
        except MemoryError:
            # What is left of this process after that is not worth finding out.
            say(frames.Refused("exhausted"))
            return


def _frame(stream: BinaryIO) -> bytes | None:
    """The next frame; None where the stream has ended."""
    length = stream.read(_LENGTH)
    if len(length) < _LENGTH:
        return None
    wanted = int.from_bytes(length, "big")
    data = stream.read(wanted)
    return data if len(data) == wanted else None


def _confine(memory: int) -> None:
    """Limit memory, files and privileges, as far as the system knows such limits (Linux does, macOS in part)."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        with suppress(AttributeError):  # not every C library has it
            # Each thread would take an arena of its own, of which most stays unused and counts all the same.
            libc.mallopt(_M_ARENA_MAX, 1)
    if sys.platform != "win32":
        import resource

        limits = (
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NOFILE, _FEW_FILES),
        )
        for kind, most in limits:
            with suppress(OSError, ValueError):
                resource.setrlimit(kind, (most, most))


def _allow(seconds: int) -> None:
    """So much more processor time; the system ends the process after it."""
    if sys.platform != "win32":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        until = int(used.ru_utime + used.ru_stime) + 1 + seconds
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
