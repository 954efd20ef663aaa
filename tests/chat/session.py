"""A chat in this process, with somebody who types what a test says."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from antiphon.chat.conversation import Conversation
from antiphon.chat.service import Service
from antiphon.chat.session import Session
from antiphon.chat.showing.screen import Screen
from antiphon.chat.turn import Asker
from tests.chat.conftest import Server

MODEL = "claude-opus-4-8"


class Typed:
    """Types these lines, and leaves. What a line began with is noted."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = iter(lines)
        self.begun: list[str] = []

    def read(self, prompt: str, begin: str = "") -> str:
        self.begun.append(begin)
        try:
            return next(self._lines)
        except StopIteration:
            raise EOFError from None

    def ask(self, prompt: str) -> str:
        return self.read(prompt)


class Chat:
    """A chat, and what it has shown."""

    def __init__(self, server: Server, tools: list[Any], most: int, compact_at: int) -> None:
        self._shown = io.StringIO()
        self.service = Service(server.url, server.key)
        self.conversation = Conversation(MODEL)
        self.asker = Asker(self.service, self.service.model(MODEL), tools, most, compact_at)
        self.screen = Screen(Console(file=self._shown, width=200))
        self.session = Session(self.service, self.conversation, self.asker, self.screen, most=most)
        self.keyboard = Typed(())

    def type(self, *lines: str) -> str:
        """Type these lines; what is shown."""
        self.keyboard = Typed(lines)
        before = len(self._shown.getvalue())
        self.session.run(self.keyboard)
        return self._shown.getvalue()[before:]

    @property
    def texts(self) -> list[str]:
        """What was said, by both."""
        return [
            block["text"]
            for message in self.conversation.messages
            for block in message["content"]
            if block["type"] == "text"
        ]


@contextmanager
def chat(server: Server, *tools: Any, most: int = 1000, compact_at: int = 0) -> Generator[Chat]:
    """A chat with this server."""
    made = Chat(server, list(tools), most, compact_at)
    with made.service.client:
        yield made
