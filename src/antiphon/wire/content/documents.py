"""What a tool result may hold beside text and images. Source: API reference, Messages."""

from typing import Annotated, Literal

from pydantic import Field

from antiphon.wire.base import ByType, CacheMarker, Items, Maybe, WireModel
from antiphon.wire.content.inline import TextBlock
from antiphon.wire.content.sources import DocumentSource


class CitationsConfig(WireModel):
    """Whether the model may cite this content."""

    enabled: Maybe[bool] = None


class DocumentBlock(WireModel):
    """A PDF, a text, or a list of blocks that the model reads as one document."""

    type: Literal["document"]
    source: DocumentSource
    title: str | None = None
    context: str | None = None
    citations: CitationsConfig | None = None
    cache_control: CacheMarker | None = None


class SearchResultBlock(WireModel):
    """A hit of the client's own search, with its source, so that it can be cited."""

    type: Literal["search_result"]
    source: str
    title: str
    content: Annotated[Items[TextBlock], Field(min_length=1)]
    citations: Maybe[CitationsConfig] = None
    cache_control: CacheMarker | None = None


class ToolReferenceBlock(WireModel):
    """A deferred tool that a tool search found."""

    type: Literal["tool_reference"]
    tool_name: str
    cache_control: CacheMarker | None = None


class BrowserTab(WireModel):
    """One open tab."""

    tab_id: str
    title: str
    url: str
    active: Maybe[bool] = None


class TabOpened(WireModel):
    """A tab was opened."""

    type: Literal["tab_opened"]
    tab_id: str


class DownloadStarted(WireModel):
    """A download began."""

    type: Literal["download_started"]
    download_id: str
    url: str


class DownloadCompleted(WireModel):
    """A download is on disk."""

    type: Literal["download_completed"]
    download_id: str
    url: str
    path: str | None = None
    size_bytes: int | None = None


class DownloadFailed(WireModel):
    """A download came to nothing."""

    type: Literal["download_failed"]
    download_id: str
    url: str
    error: str | None = None


BrowserChange = Annotated[TabOpened | DownloadStarted | DownloadCompleted | DownloadFailed, ByType()]


class BrowserStateBlock(WireModel):
    """The tabs of the client's browser after a call of one of the browser toolset's members."""

    type: Literal["browser_state"]
    tabs: Items[BrowserTab]
    state_changes: Items[BrowserChange] | None = None
    cache_control: CacheMarker | None = None
