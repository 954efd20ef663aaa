"""What a text block cites. Positions count from 0 and ends are exclusive, except pages, which count from 1.

`file_id` belongs to the form in which replies carry citations; clients send it back. Source: API reference,
Citations.
"""

from typing import Annotated, Literal

from antiphon.wire.base import ByType, WireModel


class CharLocation(WireModel):
    """Characters of a plain-text document."""

    type: Literal["char_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_char_index: int
    end_char_index: int
    file_id: str | None = None


class PageLocation(WireModel):
    """Pages of a PDF."""

    type: Literal["page_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_page_number: int
    end_page_number: int
    file_id: str | None = None


class ContentBlockLocation(WireModel):
    """Blocks of a document made of content blocks."""

    type: Literal["content_block_location"]
    cited_text: str
    document_index: int
    document_title: str | None
    start_block_index: int
    end_block_index: int
    file_id: str | None = None


class SearchResultLocation(WireModel):
    """Blocks of a `search_result`."""

    type: Literal["search_result_location"]
    cited_text: str
    search_result_index: int
    source: str
    title: str | None
    start_block_index: int
    end_block_index: int


class WebSearchResultLocation(WireModel):
    """A page that the web search tool found."""

    type: Literal["web_search_result_location"]
    cited_text: str
    url: str
    title: str | None
    encrypted_index: str


Citation = Annotated[
    CharLocation | PageLocation | ContentBlockLocation | SearchResultLocation | WebSearchResultLocation, ByType()
]
