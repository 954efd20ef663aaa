"""Requests as a program without any SDK sends them."""

import base64
from typing import Any

import httpx

Json = dict[str, Any]

HEADERS = {"anthropic-version": "2023-06-01", "x-api-key": "any-key"}
QUESTION: Json = {"type": "text", "text": "What is it?"}


def image(data: bytes, media_type: str = "image/png") -> Json:
    """An image block with these bytes."""
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": _encoded(data)}}


def pdf(data: bytes, **more: Any) -> Json:
    """A document block with these bytes."""
    source = {"type": "base64", "media_type": "application/pdf", "data": _encoded(data)}
    return {"type": "document", "source": source, **more}


def create(url: str, *content: Json, **more: Any) -> httpx.Response:
    """`POST /v1/messages` with one user turn."""
    return _post(f"{url}/v1/messages", {**_asking(content), "max_tokens": 100, **more})


def count(url: str, *content: Json) -> httpx.Response:
    """`POST /v1/messages/count_tokens` with one user turn."""
    return _post(f"{url}/v1/messages/count_tokens", _asking(content))


def _asking(content: tuple[Json, ...]) -> Json:
    return {"model": "claude-opus-4-5", "messages": [{"role": "user", "content": list(content)}]}


def _post(url: str, body: Json) -> httpx.Response:
    return httpx.post(url, json=body, headers=HEADERS, timeout=120, trust_env=False)


def _encoded(data: bytes) -> str:
    return base64.standard_b64encode(data).decode()
