"""From a web page to what a person would read on it. Runs in the worker.

The extractor looks for the page's own subject and leaves menus, advertisements and comments out. Where it finds
nothing, or the page is so large that it would take all the time there is, everything that a browser would show as
text is taken instead.
"""

import re
from html.parser import HTMLParser
from typing import Any, Final

import trafilatura

from antiphon.media.frames import HtmlJob, Written

_extractor: Any = trafilatura

_LARGE: Final = 2_000_000
"""Characters from which on the extractor is not asked: it takes 3 s for 1 MB of plain paragraphs."""
_HEAD: Final = 100_000
_LONGEST_TITLE: Final = 300
_UNSEEN: Final = frozenset({"script", "style", "noscript", "template", "svg", "head", "iframe", "object"})
_HARM: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_BREAKS: Final = re.compile(
    "address|article|aside|blockquote|br|d[dlt]|div|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|li|main|"
    "nav|ol|p|pre|section|table|tr|ul"
)


def read(data: bytes, job: HtmlJob) -> Written:
    """The page's text and title; `MemoryError` where it takes more than there is."""
    html = data.decode("utf-8", errors="replace")
    text = "" if len(html) > _LARGE else _subject(html, job.url)
    return Written(_clean(text or _everything(html))[: job.characters], _title(html))


def _subject(html: str, url: str) -> str:
    try:
        found: str | None = _extractor.extract(
            html,
            url=url or None,
            output_format="markdown",
            include_links=True,
            include_comments=False,
            favor_recall=True,
        )
    except MemoryError:
        raise
    except Exception:  # the extractor raises many kinds of errors on pages that are not as they should be
        return ""
    return found or ""


def _everything(html: str) -> str:
    page = _Page()
    page.feed(html)
    page.close()
    return page.text


def _title(html: str) -> str:
    page = _Page()
    page.feed(html[:_HEAD])
    return " ".join(_clean(page.title).split())[:_LONGEST_TITLE]


def _clean(text: str) -> str:
    """Without what no text should hold: control characters, and halves of surrogate pairs."""
    return _HARM.sub("", text).strip()


class _Page(HTMLParser):
    """Everything that a browser would show as text, a line for each block, and the title."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._unseen: list[str] = []
        self._in_title = False
        self.title = ""

    @property
    def text(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._pieces).split("\n"))
        return "\n".join(line for line in lines if line)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and not self.title:
            self._in_title = True
        elif tag == "body":
            # A head that nobody closed must not hide the page.
            self._unseen.clear()
        elif tag in _UNSEEN:
            self._unseen.append(tag)
        elif _BREAKS.fullmatch(tag):
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif self._unseen and tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif _BREAKS.fullmatch(tag):
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._unseen:
            # A line break in the source is a space in the page.
            self._pieces.append(data.replace("\n", " "))
