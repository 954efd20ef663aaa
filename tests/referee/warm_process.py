"""A process that has imported what many programs need, and forks for each of them. Standard library alone: other
environments' interpreters run it too.

python warm_process.py DESCRIPTOR MODULE ...

At the descriptor, a socket, come requests: JSON with what to run, and descriptors of its output, its errors, and of a
pipe that is told its process id and, once it has ended, how.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from typing import Any


def main() -> "tuple[dict[str, Any], int, int] | None":
    """Answer requests until nobody can make one; in the process of a program, what it is to run."""
    sys.path.pop(0)
    asking = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        importlib.import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "a thread of an import is none of a fork's"
    gc.collect()
    gc.freeze()
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        data, descriptors, _, _ = socket.recv_fds(asking, 1 << 20, 3)
        if not data:
            reap()
            return None
        output, errors, told = descriptors
        if os.fork() == 0:
            asking.close()
            program = os.fork()
            if program == 0:
                os.close(told)
                signal.signal(signal.SIGINT, interrupted)
                return json.loads(data), output, errors
            os.close(output)
            os.close(errors)
            oversee(program, told)
        for descriptor in descriptors:
            os.close(descriptor)
        reap()


def reap() -> None:
    """Forget the overseers that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def oversee(program: int, told: int) -> None:
    """Say who the program is, and how it ended."""
    os.write(told, b"%d\n" % program)
    _, status = os.waitpid(program, 0)
    os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def become(asked: dict[str, Any], output: int, errors: int) -> None:
    """Make of this process what a fresh interpreter would be for the program."""
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.close(output)
    os.close(errors)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv[:] = asked["arguments"]
    sys.path.insert(0, asked["folder"] if asked["module"] else os.path.dirname(sys.argv[0]))


if __name__ == "__main__":
    given = main()
    if given is not None:
        become(*given)
        if given[0]["module"]:
            runpy.run_module(given[0]["module"], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
