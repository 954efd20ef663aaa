"""Where the content of an image or a document comes from. Source: API reference, Vision and PDF support."""

from typing import Annotated, Literal

from antiphon.wire.base import ByKind, ByType, Items, WireModel
from antiphon.wire.content.inline import (
    Base64Image,
    FileImage,
    HttpsUrl,
    ImageBlock,
    ImageSource,
    TextBlock,
    UrlImage,
)

__all__ = [
    "Base64Image",
    "Base64Pdf",
    "ContentSource",
    "DocumentSource",
    "FileDocument",
    "FileImage",
    "ImageSource",
    "PlainText",
    "UrlImage",
    "UrlPdf",
]


class Base64Pdf(WireModel):
    """A PDF in the request itself; `data` is base64."""

    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: str


class PlainText(WireModel):
    """A document of plain text; `data` is the text."""

    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class ContentSource(WireModel):
    """A document made of text and images, or of one text."""

    type: Literal["content"]
    content: Annotated[str | Items[Annotated[TextBlock | ImageBlock, ByType()]], ByKind()]


class UrlPdf(WireModel):
    """A PDF that the server fetches."""

    type: Literal["url"]
    url: HttpsUrl


class FileDocument(WireModel):
    """A document uploaded before."""

    type: Literal["file"]
    file_id: str


DocumentSource = Annotated[Base64Pdf | PlainText | ContentSource | UrlPdf | FileDocument, ByType()]
