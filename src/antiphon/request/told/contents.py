"""What users and tools say, from the wire to neutral values: texts, images, documents, search results.

Source: API reference, Messages; Vision; PDF support; Search results.
"""

from dataclasses import replace

from antiphon.dialogue.content import Content, Document, SearchResult, Text
from antiphon.dialogue.media import Image
from antiphon.dialogue.tools import Result
from antiphon.ports.media import Description, Pdf
from antiphon.request.media.wanted import Media, cites
from antiphon.request.told.citing import Shown
from antiphon.request.told.pictures import described, page_text
from antiphon.wire.content.blocks import (
    BrowserStateBlock,
    DocumentBlock,
    ImageBlock,
    McpToolResultBlock,
    SearchResultBlock,
    TextBlock,
    ToolReferenceBlock,
    ToolResultBlock,
)
from antiphon.wire.content.sources import ContentSource, FileDocument, PlainText


def told_content(
    path: str, block: TextBlock | ImageBlock | DocumentBlock | SearchResultBlock, shown: Shown
) -> Content:
    """The block at this path as the model is to be told of it; `shown`: what the request's files hold, and more."""
    match block:
        case TextBlock():
            return Text(block.text)
        case ImageBlock():
            return _image(path, shown.media)
        case DocumentBlock():
            cited = shown.cites and cites(block)
            told = _document(path, block, shown.media)
            if not cited:
                return told
            file_id = block.source.file_id if isinstance(block.source, FileDocument) else None
            return replace(told, citable=True, numbered=True, place=shown.places.get(path), file_id=file_id)
        case SearchResultBlock():
            cited = shown.cites and cites(block)
            texts = tuple(Text(text.text) for text in block.content)
            return SearchResult(
                block.source, block.title, texts, cited, cited, shown.places.get(path, 0) if cited else None
            )


def told_result(path: str, block: ToolResultBlock, name: str, shown: Shown) -> Result:
    """The result at this path of a call of the tool `name`."""
    content = block.content or ""
    is_error = block.is_error is True
    if isinstance(content, str):
        return Result(block.tool_use_id, name, content, is_error)
    found: list[str] = []
    parts: list[Content] = []
    for position, inner in enumerate(content):
        match inner:
            case ToolReferenceBlock():
                found.append(inner.tool_name)
            case BrowserStateBlock():
                raise AssertionError("a browser_state block passed the ladder, and nothing here can tell of it")
            case _:
                parts.append(told_content(f"{path}.tool_result.content.{position}", inner, shown))
    if all(isinstance(part, Text) for part in parts):
        text = "\n".join(part.text for part in parts if isinstance(part, Text))
        return Result(block.tool_use_id, name, text, is_error, tuple(found))
    return Result(block.tool_use_id, name, "", is_error, tuple(found), tuple(parts))


def told_mcp_result(path: str, block: McpToolResultBlock, name: str, shown: Shown) -> Result:
    """The result at this path of a call of a tool of an MCP server, which the model knows by this name."""
    content = block.content or ""
    is_error = block.is_error is True
    if isinstance(content, str):
        return Result(block.tool_use_id, name, content, is_error)
    parts = [
        told_content(f"{path}.mcp_tool_result.content.{position}", inner, shown)
        for position, inner in enumerate(content)
    ]
    if all(isinstance(part, Text) for part in parts):
        text = "\n".join(part.text for part in parts if isinstance(part, Text))
        return Result(block.tool_use_id, name, text, is_error)
    return Result(block.tool_use_id, name, "", is_error, parts=tuple(parts))


def _image(path: str, media: Media) -> Image | Text:
    """The image at this path; its description where the model does not see."""
    match media.get(path):
        case Image() as image:
            return image
        case Description() as description:
            return Text(described(description))
        case _:
            raise AssertionError(f"{path}: an image has not been read")


def _document(path: str, block: DocumentBlock, media: Media) -> Document:
    match block.source:
        case PlainText(data=text) | ContentSource(content=str(text)):
            kind = "text" if isinstance(block.source, PlainText) else "blocks"
            return Document(kind, ((Text(text),),), block.title, block.context)
        case ContentSource(content=list(content)):
            within = f"{path}.document.source.content.content"
            sections = tuple(
                (Text(inner.text) if isinstance(inner, TextBlock) else _image(f"{within}.{position}", media),)
                for position, inner in enumerate(content)
            )
            return Document("blocks", sections, block.title, block.context)
        case _:
            held = media.get(path)
            if isinstance(held, Text):
                return Document("text", ((held,),), block.title, block.context)
            if not isinstance(held, Pdf):
                raise AssertionError(f"{path}: a document has not been read")
            scans = frozenset(at for at, page in enumerate(held.pages) if page.scan is not None)
            return Document("pdf", _pages(held), block.title or held.title, block.context, unquotable=scans)


def _pages(pdf: Pdf) -> tuple[tuple[Text | Image, ...], ...]:
    return tuple(
        (*([] if page.image is None else [page.image]), *([Text(text)] if text else []))
        for page, text in ((page, page_text(page)) for page in pdf.pages)
    )
