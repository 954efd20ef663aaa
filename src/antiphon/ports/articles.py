"""Reading web pages that nobody can trust. A protocol and values, no code."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Article:
    """What a person would read on a web page, as Markdown with its links, and the page's title. Both may be empty."""

    text: str
    title: str = ""


class ArticleReader(Protocol):
    """Reads web pages."""

    async def article(self, html: bytes, url: str, characters: int) -> Article:
        """What the page says, in so many characters at most. `html` is UTF-8; `url`: where relative links start.

        Raises `MediaProblem` or `MediaUnavailable`, and nothing else; cancelled, it leaves nothing running.
        """
        ...
