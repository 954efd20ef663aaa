"""Markdown while it is being written: what is complete is printed for good, the rest is drawn again and again."""

import threading
import time
from collections.abc import Callable
from typing import ClassVar, Final

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import Heading, Markdown, MarkdownElement
from rich.segment import Segment

_REDRAWN: Final = 1 / 12
_PARSER: Final = MarkdownIt("commonmark").enable("table").enable("strikethrough")


class _Heading(Heading):
    """A heading at the left: in the middle of a wide screen nobody looks for it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "heading_open": _Heading}


class MarkdownStream:
    """Shows Markdown that comes in pieces, each within a tenth of a second. Only its last block is ever drawn again,
    so that whatever has scrolled off the screen is whole."""

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._now = now
        self._open = ""
        self._printed = False
        self._drawn = 0.0
        self._live: Live | None = None
        self._lock = threading.Lock()
        self._later: threading.Timer | None = None

    def feed(self, piece: str) -> None:
        """So much more is there."""
        with self._lock:
            self._open += piece
            wait = self._drawn + _REDRAWN - self._now()
            if wait <= 0:
                self._draw()
            elif self._later is None:
                # The next piece may be long in coming.
                self._later = threading.Timer(wait, self._draw_later)
                self._later.daemon = True
                self._later.start()

    def finish(self) -> None:
        """Nothing more comes."""
        with self._lock:
            if self._later is not None:
                self._later.cancel()
                self._later = None
            self._stop()
            self._print(self._open)
            self._open = ""
            self._printed = False

    def _draw_later(self) -> None:
        with self._lock:
            if self._later is threading.current_thread():
                self._later = None
                self._draw()

    def _draw(self) -> None:
        at = _begin_of_last_block(self._open)
        complete, self._open = self._open[:at], self._open[at:]
        if complete.strip():
            self._stop()
            self._print(complete)
        if self._open.strip():
            if self._live is None:
                self._live = Live(console=self._console, transient=True, auto_refresh=False)
                self._live.start()
            self._live.update(_Tail(self._open, gap=self._printed), refresh=True)
        self._drawn = self._now()

    def _print(self, text: str) -> None:
        if text.strip():
            if self._printed:
                self._console.print()
            self._console.print(_Markdown(text))
            self._printed = True

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class _Tail:
    """The last lines of a block, as many as there is room for."""

    def __init__(self, text: str, *, gap: bool) -> None:
        self._text = text
        self._gap = gap

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(_Markdown(self._text), options.update(height=None), pad=False)
        if self._gap:
            lines.insert(0, [])
        for line in lines[-max(1, console.size.height - 2) :]:
            yield from line
            yield Segment.line()


def _begin_of_last_block(text: str) -> int:
    """Where the last block begins: what stands before it does not change any more."""
    begins = [token.map[0] for token in _PARSER.parse(text) if token.level == 0 and token.map is not None]
    if not begins:
        return 0
    return sum(map(len, text.splitlines(keepends=True)[: max(begins)]))
