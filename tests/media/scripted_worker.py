"""A worker that does what the file says, to see what becomes of the server then. Run as a program.

`environment` answers with the names in its environment; `file` with the number of files that it has been given.
"""

import os
import signal
import sys
import time

import msgspec

from antiphon.media import frames


def say(answer: frames.Answer) -> None:
    sys.stdout.buffer.write(frames.packed(msgspec.msgpack.encode(answer)))
    sys.stdout.buffer.flush()


def take() -> bytes:
    length = sys.stdin.buffer.read(frames.LENGTH)
    if len(length) < frames.LENGTH:
        sys.exit(0)
    return sys.stdin.buffer.read(int.from_bytes(length, "big"))


def page(text: str) -> None:
    for answer in (frames.Opened(1, None), frames.Page(text, None), frames.Finished()):
        say(answer)


SAID: dict[str, tuple[frames.Answer, ...]] = {
    "too few pages": (frames.Opened(2, None), frames.Page("one", None), frames.Finished()),
    "an invented refusal": (frames.Refused("too_many_pages", ("many",)),),
    "a refusal without end": (frames.Refused("wrong_type", ("image/png", "x" * 100_000)),),
    "another kind of answer": (frames.Picture(b"picture", 1, 1),),
}


def act(order: str, count: int) -> None:
    for answer in SAID.get(order, ()):
        say(answer)
    match order:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            time.sleep(3600)
        case "hang after a page":
            say(frames.Opened(2, None))
            say(frames.Page("one", None))
            time.sleep(3600)
        case "page after page":
            say(frames.Opened(2, None))
            while True:
                say(frames.Page("x" * 100_000, None))
        case "nonsense":
            sys.stdout.buffer.write(frames.packed(b"\xc1 no such thing"))
            sys.stdout.buffer.flush()
        case "an endless frame":
            sys.stdout.buffer.write(b"\xff\xff\xff\xff" + b"x" * 1000)
            sys.stdout.buffer.flush()
        case "out of memory":
            say(frames.Refused("exhausted"))
            sys.exit(0)
        case "environment":
            page(" ".join(os.environ))
        case "file":
            page(str(count))
        case _:
            pass


def main() -> None:
    say(frames.Ready())
    count = 0
    while True:
        take()
        count += 1
        act(take().decode(), count)


if __name__ == "__main__":
    main()
