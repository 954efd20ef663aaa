"""What users and tools say in other ways than by a plain text: documents and the hits of a search."""

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from antiphon.dialogue.media import Image

DocumentKind = Literal["text", "pdf", "blocks"]


class Text(Struct, frozen=True):
    """A run of text as its author wrote it; never stripped."""

    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document that the model reads. `title` and `context` are what the client says of it.

    `sections` are what a citation would name: the pages of a `pdf`, the client's own blocks of `blocks`, the whole of
    a `text`. A page is its picture, where the model sees, and its text; one that has neither is an empty section.
    `citable`: the answer may cite it. `numbered`: a citation may name its sentences or blocks. `place`: which of the
    request's documents it is, from 0. `file_id`: of the uploaded file that it is. `unquotable`: sections that cannot
    be cited, since they are not the document's own words.
    """

    kind: DocumentKind
    sections: tuple[tuple[Text | Image, ...], ...]
    title: str | None = None
    context: str | None = None
    citable: bool = False
    numbered: bool = False
    place: int | None = None
    file_id: str | None = None
    unquotable: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A hit of a search, the client's own or the server's. `source` says where it was found, mostly by a URL.

    `citable`: the answer may cite it. `numbered`: a citation may name its blocks. `place`: which of the request's own
    search results it is, from 0; None: the server found it.
    """

    source: str
    title: str
    texts: tuple[Text, ...]
    citable: bool = False
    numbered: bool = False
    place: int | None = None


Content = Text | Image | Document | SearchResult
