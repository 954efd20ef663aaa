"""Blocks with images and documents, as they travel."""

from typing import Any

from tests.request.requests import Json, assistant, call, result, text, user

PLAIN: Json = {"type": "text", "media_type": "text/plain", "data": "Words"}

HIT: Json = {"type": "search_result", "source": "https://a", "title": "A", "content": [text("x"), text("y")]}


def base64_source(data: str = "AAAA", media_type: str = "image/png") -> Json:
    return {"type": "base64", "media_type": media_type, "data": data}


def url_source(url: str = "https://example.com/a") -> Json:
    return {"type": "url", "url": url}


def uploaded_source(id_: str = "file_1") -> Json:
    return {"type": "file", "file_id": id_}


def image(source: Json | None = None, **more: Any) -> Json:
    return {"type": "image", "source": source or base64_source(), **more}


def document(source: Json | None = None, **more: Any) -> Json:
    return {"type": "document", "source": source or PLAIN, **more}


def pdf(source: Json | None = None, **more: Any) -> Json:
    return document(source or base64_source(media_type="application/pdf"), **more)


def blocks(*inner: Json) -> Json:
    return document({"type": "content", "content": list(inner)})


def answered(*content: Json, **more: Any) -> list[Json]:
    """A conversation whose last message answers a call with this content."""
    return [user(), assistant([call("toolu_1")]), user([result("toolu_1", list(content), **more)])]
