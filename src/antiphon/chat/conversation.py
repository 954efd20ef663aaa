"""A conversation as it is kept, saved and sent again."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from antiphon.chat.problems import ChatError, Json

_KIND: Final = "antiphon chat"
_SPENT: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


@dataclass(slots=True)
class Spent:
    """Tokens of all replies together, and what the last one left in the context."""

    replies: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SPENT, 0))
    context: int = 0

    def add(self, usage: Json) -> None:
        """One more reply, of which the API says this."""
        self.replies += 1
        now = {name: int(usage.get(name) or 0) for name in _SPENT}
        self.tokens = {name: self.tokens[name] + now[name] for name in _SPENT}
        self.context = sum(now.values())


@dataclass(slots=True)
class Conversation:
    """What has been said so far. `last`: what the user said last; `before`: all messages before that."""

    model: str
    system: str = ""
    thinking: str = ""
    messages: list[Json] = field(default_factory=list[Json])
    last: list[Json] = field(default_factory=list[Json])
    before: list[Json] = field(default_factory=list[Json])
    spent: Spent = field(default_factory=Spent)

    def say(self, content: list[Json]) -> None:
        """The user says this; it can be said again from here."""
        self.before, self.last = list(self.messages), content
        self.messages.append({"role": "user", "content": content})

    def take_back(self) -> None:
        """As if the last thing that the user said had not been said."""
        self.messages = list(self.before)

    @property
    def last_text(self) -> str:
        """The words of what the user said last."""
        return "\n".join(block["text"] for block in self.last if block["type"] == "text")

    def summarized(self, summary: Json) -> None:
        """This message stands for all that has been said."""
        self.messages, self.before, self.last = [summary], [summary], []

    def clear(self) -> None:
        """Begin anew; model, system prompt and thinking stay."""
        self.messages, self.before, self.last = [], [], []
        self.spent.context = 0

    def save(self, path: Path) -> None:
        """Write it to a file, which `load` reads. Raises `ChatError`."""
        kept = {"model": self.model, "system": self.system, "thinking": self.thinking, "messages": self.messages}
        try:
            text = json.dumps({"kind": _KIND, **kept}, ensure_ascii=False, indent=1)
            path.expanduser().write_text(text + "\n", encoding="utf-8")
        except OSError as problem:
            raise ChatError(f"{path}: cannot be written: {problem.strerror}") from problem

    def load(self, path: Path) -> None:
        """Go on from what a file holds: its messages, its system prompt and thinking. Raises `ChatError`.

        The model stays: a file may come from another server.
        """
        try:
            found: Any = json.loads(path.expanduser().read_text(encoding="utf-8"))
        except OSError as problem:
            raise ChatError(f"{path}: cannot be read: {problem.strerror}") from problem
        except ValueError as problem:
            raise ChatError(f"{path}: this is not JSON: {problem}") from problem
        kept = cast("Json", found) if isinstance(found, dict) else {}
        messages, system, thinking = kept.get("messages"), kept.get("system", ""), kept.get("thinking", "")
        whole = isinstance(messages, list) and isinstance(system, str) and isinstance(thinking, str)
        if kept.get("kind") != _KIND or not whole:
            raise ChatError(f"{path}: this is no conversation that `/save` has written")
        self.clear()
        self.messages, self.system, self.thinking = cast("list[Json]", messages), system, thinking
        self.before = list(self.messages)
