"""What users and tools say in other ways than by a plain text: documents and the hits of a search."""

from dataclasses import dataclass
from typing import Literal

from antiphon.dialogue.media import Image

DocumentKind = Literal["text", "pdf", "blocks"]


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text as its author wrote it; never stripped."""

    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document that the model reads. `title` and `context` are what the client says of it.

    `sections` are what a citation would name: the pages of a `pdf`, the client's own blocks of `blocks`, the whole of
    a `text`. A page is its picture, where the model sees, and its text; one that has neither is an empty section.
    `citable`: the answer may cite it.
    """

    kind: DocumentKind
    sections: tuple[tuple[Text | Image, ...], ...]
    title: str | None = None
    context: str | None = None
    citable: bool = False


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A hit of a search, the client's own or the server's. `source` says where it was found, mostly by a URL.

    `citable`: the answer may cite it.
    """

    source: str
    title: str
    texts: tuple[Text, ...]
    citable: bool = False


Content = Text | Image | Document | SearchResult
