"""A real terminal for tests: a pseudo-terminal of so many columns, and the program behind it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.referee.live import clean_env

_TIMEOUT = 45.0
_FORWARD = re.compile(r"[\r\x08]?\x1b\[\d+C")
_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x1b\x07]*(\x1b\\|\x07)|\x1b[=>]")


class Terminal:
    """What a person sees and types."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self._process = process
        self._master = master
        self.raw = ""
        self._seen = 0

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._master, text.encode())

    def until(self, text: str) -> str:
        """What is shown from the last call on until this text is there, without escape sequences."""
        deadline = time.monotonic() + _TIMEOUT
        while True:
            # Blanks that nobody has written are passed over by moving the cursor.
            shown = _FORWARD.sub(" ", _STYLES.sub("", self.raw[self._seen :]))
            shown = _ESCAPES.sub("", shown).replace("\r\n", "\n").replace("\r", "")
            if text in shown:
                self._seen = len(self.raw)
                return shown
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} was not shown; this was:\n{shown}"
            if not self._read(left):
                raise AssertionError(f"the program ended before it showed {text!r}:\n{shown}")

    def end(self) -> int:
        """Wait for the program's end; its exit code."""
        while self._read(_TIMEOUT):
            pass
        return self._process.wait(_TIMEOUT)

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], timeout)
        assert ready, f"nothing more is shown: {self.raw!r}"
        try:
            data = os.read(self._master, 65536)
        except OSError:  # nobody has the other end any more
            return False
        self.raw += data.decode(errors="replace")
        return bool(data)


@contextmanager
def terminal(
    arguments: Sequence[str], folder: Path, *, columns: int = 80, rows: int = 40, **extra: str
) -> Generator[Terminal]:
    """`antiphon` with these arguments, in this folder, which is its home too."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    env = clean_env({"TERM": "xterm-256color", "HOME": str(folder), "PROMPT_TOOLKIT_NO_CPR": "1", **extra})
    process = subprocess.Popen(
        [sys.executable, "-m", "antiphon", *arguments],
        cwd=folder,
        env={name: value for name, value in env.items() if name not in ("XDG_STATE_HOME", "COLUMNS", "LINES")},
        preexec_fn=lambda: os.login_tty(slave),
        pass_fds=(slave,),
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(_TIMEOUT)
        os.close(master)
