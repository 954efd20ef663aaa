"""Text and images: what messages, tool results and documents alike are made of.

Source: API reference, Messages and Vision.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator

from antiphon.wire.base import BARE, ByType, CacheMarker, Items, Maybe, WireModel, complaint
from antiphon.wire.content.citations import Citation


def _https(url: str) -> str:
    if not url.lower().startswith("https://"):
        raise complaint("Only HTTPS URLs are supported.", kind=BARE)
    return url


HttpsUrl = Annotated[str, AfterValidator(_https)]


class Base64Image(WireModel):
    """An image in the request itself; `data` is base64."""

    type: Literal["base64"]
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: str


class UrlImage(WireModel):
    """An image that the server fetches."""

    type: Literal["url"]
    url: HttpsUrl


class FileImage(WireModel):
    """An image uploaded before."""

    type: Literal["file"]
    file_id: str


ImageSource = Annotated[Base64Image | UrlImage | FileImage, ByType()]


class ImageTransformations(WireModel):
    """What the server may do to an image that is too large."""

    oversized_image: Maybe[Literal["downsize", "error"]] = None


class TextBlock(WireModel):
    """Text. That it is not empty is a rule of the conversation, not of the shape."""

    type: Literal["text"]
    text: str
    cache_control: CacheMarker | None = None
    citations: Items[Citation] | None = None


class ImageBlock(WireModel):
    """An image."""

    type: Literal["image"]
    source: ImageSource
    cache_control: CacheMarker | None = None
    transformations: ImageTransformations | None = None
