"""Markdown that comes in pieces."""

import io
import threading

import pytest
from rich.console import Console
from rich.markdown import Markdown

from antiphon.chat.showing.markdown import MarkdownStream

TEXT = "# Title\n\nSome *words*\nand more.\n\n- one\n- two\n\n```py\nx = 1\n\ny = 2\n```\n\n> said\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd"


def drawn(text: str, size: int) -> str:
    """What stays on a terminal, piece by piece of this size, drawn at each."""
    file = io.StringIO()
    moment = iter(range(10_000))
    stream = MarkdownStream(Console(file=file, width=60), now=lambda: float(next(moment)))
    for at in range(0, len(text), size):
        stream.feed(text[at : at + size])
    stream.finish()
    return file.getvalue()


@pytest.mark.promise("chat.terminal")
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_what_stays_is_the_same_however_it_was_cut(size: int) -> None:
    file = io.StringIO()
    Console(file=file, width=60).print(Markdown(TEXT))
    whole = file.getvalue().replace(f"{'Title':^60}", "Title")

    def lines(shown: str) -> list[str]:
        return [line.rstrip() for line in shown.splitlines() if line.strip()]

    assert lines(drawn(TEXT, size)) == lines(whole)


class Heard(io.StringIO):
    """A terminal that says when this is written to it."""

    def __init__(self, awaited: str) -> None:
        super().__init__()
        self.awaited = awaited
        self.there = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.awaited in self.getvalue():
            self.there.set()
        return written


@pytest.mark.promise("chat.terminal")
def test_a_piece_is_drawn_though_none_follows_it() -> None:
    file = Heard("two")
    # The first is drawn at once, the second too soon after it.
    moments = iter([1.0, 1.0])
    stream = MarkdownStream(Console(file=file, width=60, force_terminal=True), now=lambda: next(moments, 1.0))
    stream.feed("one ")
    stream.feed("two")
    assert file.there.wait(10)
    stream.finish()
    assert file.getvalue().rstrip().endswith("one two")
