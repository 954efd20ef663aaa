"""Documents and search results as text, the same for every model, and pictures as placeholders among it.

    <document index="1">                    <search_result index="1">
    <title>Annual report</title>            <title>Opening hours</title>
    <context>Draft of May</context>         <source>https://library.example/hours</source>
    <page number="1">                       <block number="1">
    …                                       …
    </page>                                 </block>
    </document>                             </search_result>

Where an answer may cite a request's own document, `<s n="1">` stands before each sentence of a text or a page,
numbered over the whole document; blocks have their numbers anyway.

A PDF has pages, a document of blocks has blocks, a plain text has one `<content>`. Documents are numbered from 1 over
the whole conversation, in its order, and so are search results, each kind for itself: what was told keeps its number
when the conversation goes on. An empty page or text is told as such.

What a document says must not pass for words of the user: where a text has a closing tag of an element that it stands
in, a backslash goes behind its `<` (`<\\/document>`). Everything else is told as it was written, other tags too.
Control tokens are kept out as in every text of a client.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Final

from antiphon.dialogue.content import Content, Document, DocumentKind, SearchResult, Text
from antiphon.dialogue.conversation import Conversation, Part, Turn
from antiphon.dialogue.media import Image
from antiphon.dialogue.tools import Result
from antiphon.render.chunks import chunks_of, sections_of
from antiphon.render.prompt.pictures import ToldPictures

_LINE: Final = "\n"

_INDEXED: Final = frozenset({"document", "search_result"})

_SECTIONS: Final[dict[DocumentKind, str]] = {"text": "content", "pdf": "page", "blocks": "block"}


def has_contents(conversation: Conversation) -> bool:
    """Whether there are other things than texts in it to be told as content."""
    return any(map(_is_more, (part for turn in conversation.turns for part in turn.parts)))


class ToldContents:
    """Tells the contents of one conversation; pictures go to `pictures`."""

    def __init__(self, pictures: ToldPictures) -> None:
        self._pictures = pictures
        self._documents = 0
        self._search_results = 0

    def of(self, conversation: Conversation) -> Conversation:
        """The same conversation with nothing but texts for contents."""
        turns = tuple(Turn(turn.speaker, tuple(self._parts(turn.parts))) for turn in conversation.turns)
        return replace(conversation, turns=turns)

    def _parts(self, parts: Iterable[Part]) -> Iterator[Part]:
        for is_content, run in groupby(parts, _is_content):
            told = list(run)
            if not is_content:
                yield from map(self._part, told)
            elif any(map(_is_more, told)):
                yield Text(self._joined([part for part in told if isinstance(part, Content)]))
            else:
                yield from told

    def _part(self, part: Part) -> Part:
        if isinstance(part, Result) and part.parts:
            return replace(part, text=self._joined(part.parts), parts=())
        return part

    def _joined(self, contents: Iterable[Content]) -> str:
        """Contents as one text, a line apart. Between a picture and words or another picture there is nothing, as in
        the prompts that models have learned from."""
        told: list[str] = []
        for before, content in pairwise((None, *contents)):
            assert content is not None
            told += ["" if before is None or _touch(before, content) else _LINE, self._told(content)]
        return "".join(told)

    def _told(self, content: Content) -> str:
        match content:
            case Text(text=text):
                return text
            case Image():
                return self._pictures.place(content)
            case Document():
                self._documents += 1
                inner = [*_said("document", title=content.title, context=content.context), *self._sections(content)]
                return _element("document", self._documents, inner)
            case SearchResult(title=title, source=source, texts=texts):
                self._search_results += 1
                said = _said("search_result", title=title, source=source)
                blocks = (self._section("search_result", "block", at, [text]) for at, text in enumerate(texts, 1))
                return _element("search_result", self._search_results, [*said, *blocks])

    def _sections(self, document: Document) -> Iterator[str]:
        name = _SECTIONS[document.kind]
        sections = _numbered(document) if document.numbered and document.kind != "blocks" else document.sections
        for number, pieces in enumerate(sections, 1):
            yield self._section("document", name, None if document.kind == "text" else number, pieces)

    def _section(self, around: str, name: str, number: int | None, pieces: Sequence[Text | Image]) -> str:
        text = _LINE.join(map(self._told, pieces))
        return _element(name, number, [_kept_open(text, name, around)] if pieces else [])


def _numbered(document: Document) -> tuple[tuple[Text | Image, ...], ...]:
    """The sections with the number of each sentence before it; what else they hold stands before their text."""
    texts = sections_of(document)
    told: list[list[str]] = [[] for _ in texts]
    for number, chunk in enumerate(chunks_of(document), 1):
        told[chunk.section].append(f'<s n="{number}">{texts[chunk.section][chunk.start : chunk.end]}')
    return tuple(
        (*(piece for piece in pieces if isinstance(piece, Image)), Text("".join(marked))) if marked else pieces
        for pieces, marked in zip(document.sections, told, strict=True)
    )


def _is_content(part: Part) -> bool:
    return isinstance(part, Content)


def _is_more(part: Part) -> bool:
    return isinstance(part, Image | Document | SearchResult) or (isinstance(part, Result) and bool(part.parts))


def _touch(before: Content, behind: Content) -> bool:
    plain = isinstance(before, Text | Image) and isinstance(behind, Text | Image)
    return plain and (isinstance(before, Image) or isinstance(behind, Image))


def _element(name: str, number: int | None, inner: Iterable[str]) -> str:
    counted = "" if number is None else f' {"index" if name in _INDEXED else "number"}="{number}"'
    return _LINE.join((f"<{name}{counted}>", *inner, f"</{name}>"))


def _said(around: str, **fields: str | None) -> Iterator[str]:
    """What is said of a document or a search result, where anything is."""
    for name, text in fields.items():
        if text:
            yield f"<{name}>{_kept_open(text, name, around)}</{name}>"


def _kept_open(text: str, *names: str) -> str:
    """The text without the closing tags of these elements."""
    return re.sub(rf"<(?=\s*/\s*(?:{'|'.join(names)})\b)", r"<\\", text, flags=re.IGNORECASE)
