"""An index of files on this machine: for use offline, and for tests.

A folder with .html, .md and .txt files, or a .jsonl file with an object a line: `url`, `title`, `text`, and
`page_age` if it is known. Everything is read once, when the first search comes, and kept in memory: it is meant for
a few thousand pages. The owner's own files are not hostile, but each is cut at 1 MB, and at most 20,000 are taken.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import orjson

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.search.port import Found, SearchQuery
from antiphon.tools.search.ranking import Ranking, passage

BASE: Final = "https://index.localhost"
"""What stands before the paths of files, unless the owner says otherwise: URLs that lead nowhere else."""

MOST_DOCUMENTS: Final = 20_000
MOST_BYTES: Final = 1_000_000
_HEADING: Final = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ENDINGS: Final = frozenset({".html", ".htm", ".md", ".txt"})


@dataclass(frozen=True, slots=True)
class Document:
    """A page of the index."""

    url: str
    title: str
    text: str
    age: str | None = None


@dataclass(frozen=True, slots=True)
class _Index:
    documents: list[Document]
    ranking: Ranking


class LocalIndex:
    """Searches what is at `path`. `characters`: of a page that a result shows."""

    name = "local"
    longest_query = 1000

    def __init__(self, path: Path, characters: int, base: str = BASE) -> None:
        self._path = path
        self._characters = characters
        self._base = base
        self._index: _Index | None = None
        self._reading = asyncio.Lock()

    async def search(self, query: SearchQuery) -> list[Found]:
        """See `SearchProvider`. Rules are followed before anything is counted; places and languages are not known."""
        index = await self._read()

        def look() -> list[Found]:
            ranked = (index.documents[place] for place in index.ranking.best(query.text))
            fitting = (document for document in ranked if query.rules.allow(document.url))
            return [
                Found(page.url, page.title, passage(page.text, query.text, self._characters), page.age)
                for page in islice(fitting, query.count)
            ]

        return await asyncio.to_thread(look)

    async def size(self) -> int:
        """How many pages the index holds; `ToolProblem` if it cannot be read."""
        return len((await self._read()).documents)

    async def aclose(self) -> None:
        """Nothing to let go of."""

    async def _read(self) -> _Index:
        async with self._reading:
            if self._index is None:
                try:
                    self._index = await asyncio.to_thread(_load, self._path, self._base)
                except (OSError, ValueError) as problem:
                    raise ToolProblem("unavailable", f"the local index cannot be read: {problem}") from problem
            return self._index


def _load(path: Path, base: str) -> _Index:
    read = _lines(path) if path.suffix == ".jsonl" else _files(path, base)
    documents = list(islice(read, MOST_DOCUMENTS))
    if not documents:
        raise ValueError(f"{path}: there is no page in it")
    return _Index(documents, Ranking([f"{page.title}\n{page.title}\n{page.text}" for page in documents]))


def _lines(path: Path) -> Iterator[Document]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row: Any = orjson.loads(line)
            except orjson.JSONDecodeError as wrong:
                raise ValueError(f"{path}, line {number}: this is not JSON: {wrong}") from None
            page = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
            url, title, text, age = (page.get(key) for key in ("url", "title", "text", "page_age"))
            if not isinstance(url, str) or not isinstance(text, str):
                raise ValueError(f"{path}, line {number}: this must be an object with a url and a text")
            yield Document(
                url, title if isinstance(title, str) else "", text[:MOST_BYTES], age if isinstance(age, str) else None
            )


def _files(folder: Path, base: str) -> Iterator[Document]:
    if not folder.is_dir():
        raise ValueError(f"{folder}: this is neither a folder nor a .jsonl file")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.suffix.lower() not in _ENDINGS or any(part.startswith(".") for part in name.parts):
            continue
        # A link may lead anywhere on this machine, and what it leads to would be shown to every client.
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8", errors="replace")
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
        title, text = _page(path, text)
        yield Document(f"{base}/{quote(name.as_posix())}", title or path.stem, text, written)


def _page(path: Path, text: str) -> tuple[str, str]:
    match path.suffix.lower():
        case ".html" | ".htm":
            page = _Html()
            page.feed(text)
            page.close()
            return page.title.strip(), " ".join("".join(page.pieces).split())
        case ".md":
            heading = _HEADING.search(text)
            if heading is None:
                return "", text
            # The title is told by itself: what is quoted of the page begins with its words.
            return heading[1], text[: heading.start()] + text[heading.end() :]
        case _:
            return "", text


class _Html(HTMLParser):
    """The text of a page, and its title."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.title = ""
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "title"):
            self._within = tag
        self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within:
            self._within = ""
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if self._within == "title":
            self.title += data
        elif not self._within:
            self.pieces.append(data)
