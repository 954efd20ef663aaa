"""A chat with somebody at a terminal: lines in, turns out, until they leave."""

from pathlib import Path

import anthropic
from rich.text import Text

from antiphon.chat.attaching import attached
from antiphon.chat.commands import Quit, obey
from antiphon.chat.conversation import Conversation
from antiphon.chat.keyboard import Keyboard
from antiphon.chat.problems import ChatError, Json, in_words
from antiphon.chat.service import Service
from antiphon.chat.showing.screen import Screen
from antiphon.chat.showing.words import harmless
from antiphon.chat.turn import Asker, Stopped

NEARLY_FULL = 0.8
"""How full the context window may be before a summary takes the conversation's place."""


class Session:
    """Somebody at a terminal. `compact_at` None: what the window of each model says."""

    def __init__(
        self,
        service: Service,
        conversation: Conversation,
        asker: Asker,
        screen: Screen,
        *,
        most: int | None = None,
        compact_at: int | None = None,
    ) -> None:
        self.service = service
        self.conversation = conversation
        self.asker = asker
        self.screen = screen
        self._most = most
        self._compact_at = compact_at
        self._attached: list[Json] = []
        self._pasted: dict[str, Json] = {}
        self._keyboard: Keyboard | None = None

    @property
    def keyboard(self) -> Keyboard:
        """Where lines come from."""
        assert self._keyboard is not None
        return self._keyboard

    def run(self, keyboard: Keyboard) -> None:
        """Read and answer until the user leaves."""
        self._keyboard = keyboard
        while True:
            try:
                line = keyboard.read("> ")
            except EOFError:
                return
            except KeyboardInterrupt:
                self.screen.note("Ctrl-D leaves.")
                continue
            try:
                self._take(line)
            except Quit:
                return
            except (ChatError, EOFError) as problem:
                self.screen.problem(str(problem))
            except KeyboardInterrupt:
                self.screen.note("Stopped.")

    def turn(self, content: list[Json]) -> None:
        """Say this, and show what comes of it."""
        self.conversation.say(content)
        try:
            self.asker.run(self.conversation, self.screen)
        except Stopped:
            self.screen.note("Stopped. /retry asks again.")
        except anthropic.AnthropicError as problem:
            self.screen.problem(in_words(problem, self.service.url))
        self.say("")

    def compact(self) -> None:
        """Put a summary in the conversation's place."""
        try:
            self.asker.compact(self.conversation, self.screen)
        except anthropic.AnthropicError as problem:
            self.screen.problem(in_words(problem, self.service.url))

    def again(self) -> list[Json]:
        """What was said last, taken back. Raises `ChatError` where nothing was."""
        last = self.conversation.last
        if not last:
            raise ChatError("Nothing was said yet")
        self.conversation.take_back()
        return last

    def use_model(self, name: str) -> None:
        """Ask this model from now on."""
        model = self.service.model(name)
        self.asker.model, self.conversation.model = model, name
        self.asker.most = self._most or model.most
        self.asker.compact_at = int(model.window * NEARLY_FULL) if self._compact_at is None else self._compact_at
        self.say(f"This is {name}.")

    def attach(self, path: Path) -> None:
        """This file goes with the next message. Raises `ChatError`."""
        self.attach_block(attached(path))

    def attach_block(self, block: Json) -> None:
        """This block goes with the next message."""
        self._attached.append(block)

    def paste(self, path: Path) -> str:
        """This file goes with the next message, as long as its name stands in it."""
        try:
            block = attached(path)
        except ChatError:
            return str(path)
        name = f"[{path.name}]"
        self._pasted[name] = block
        return name

    def say(self, text: str) -> None:
        """A line of the chat's own."""
        self.screen.console.print(Text(harmless(text)), highlight=False)

    def _take(self, line: str) -> None:
        text = line.strip()
        if not text:
            return
        if text.startswith("/") and not text.startswith("//"):
            obey(self, text)
            return
        pictures = [block for name, block in self._pasted.items() if name in text]
        content = [*self._attached, *pictures, {"type": "text", "text": text.removeprefix("/")}]
        self._attached, self._pasted = [], {}
        self.turn(content)
