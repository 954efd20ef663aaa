"""A turn on a terminal: Markdown as it comes, thoughts folded into a line, calls and results in a line each."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

from antiphon.chat.problems import Json
from antiphon.chat.showing.markdown import MarkdownStream
from antiphon.chat.showing.words import call_line, ending, harmless, shortened


class Screen:
    """Shows a turn on a terminal. `thoughts`: what was thought in the last turn, to be unfolded.

    On a terminal that cannot move its cursor, words are written as they come, and Markdown stays as it is written.
    """

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        self.console = console
        self.thoughts = ""
        self._now = now
        self._moves = console.is_terminal and not console.is_dumb_terminal
        self._stream = MarkdownStream(console) if self._moves else None
        self._status: Status | None = None
        self._since: float | None = None
        self._thought = ""
        self._mid_line = False

    def begin(self) -> None:
        """A reply is asked for."""
        self._thought, self._since = "", None
        self._wait("…")

    def thinking(self, piece: str) -> None:
        """So much more has been thought."""
        if self._since is None:
            self._since = self._now()
        self._thought += piece
        self._wait(f"thinking … {len(self._thought.split())} words")

    def text(self, piece: str) -> None:
        """So much more has been said."""
        self._fold()
        piece = harmless(piece)
        if self._stream is not None:
            self._stream.feed(piece)
            return
        self.console.print(piece, end="", markup=False, highlight=False, soft_wrap=True)
        self._mid_line = not piece.endswith("\n") if piece else self._mid_line

    def calling(self, name: str, given: Any) -> None:
        """The model calls a tool with this."""
        self._finish()
        self._line(f"→ {call_line(name, given, self.console.width - 2)}", "cyan")

    def result(self, name: str, text: str, failed: bool) -> None:
        """A tool came to this."""
        width = self.console.width - 2
        lines = [line for line in harmless(text).splitlines() if line.strip()]
        more = f" (+{len(lines) - 1} lines)" if len(lines) > 1 else ""
        first = lines[0] if lines else "(nothing)"
        self._line(f"← {shortened(first, width - len(more))}{more}", "red" if failed else "dim")

    def end(self, message: Json) -> None:
        """A reply has ended."""
        self._finish()
        text = ending(message["stop_reason"])
        if text:
            self.note(text)

    def results(self, message: Json) -> None:
        """They were shown one by one."""

    def broke_off(self) -> None:
        """A reply, or a wait for one, has ended before its end."""
        self._finish()

    def note(self, text: str) -> None:
        """Something that the user should know."""
        self._finish()
        self._line(harmless(text), "dim")

    def problem(self, text: str) -> None:
        """Something has gone wrong."""
        self._finish()
        self._line(harmless(text), "red")

    def pause(self) -> None:
        """Somebody else writes on the screen now."""
        self._finish()

    def _fold(self) -> None:
        """Thoughts are over: a line says how long they were."""
        self._stop_waiting()
        if self._since is not None:
            self._line(f"Thought for {self._now() - self._since:.1f} s. /think show unfolds it.", "dim italic")
            self.thoughts, self._since = self._thought, None

    def _finish(self) -> None:
        self._fold()
        if self._stream is not None:
            self._stream.finish()
        elif self._mid_line:
            self.console.print()
            self._mid_line = False

    def _wait(self, text: str) -> None:
        if not self._moves:
            return
        if self._status is None:
            self._status = self.console.status(Text(text, style="dim"), spinner="dots")
            self._status.start()
        else:
            self._status.update(Text(text, style="dim"))

    def _stop_waiting(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _line(self, text: str, style: str) -> None:
        self.console.print(Text(text, style=style), highlight=False)
