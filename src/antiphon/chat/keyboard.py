"""What the user types: lines with a history, several lines at once, paths that are pasted; or plain lines."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from antiphon.chat.attaching import pasted

Paste = Callable[[Path], str]
"""Takes a file that was pasted, and gives what stands for it in the text."""


class Keyboard(Protocol):
    """Where the user's words come from."""

    def read(self, prompt: str, begin: str = "") -> str:
        """What the user writes, beginning with `begin`. Raises `EOFError` and `KeyboardInterrupt`."""
        ...

    def ask(self, prompt: str) -> str:
        """A short answer, of which there is no history."""
        ...


class Lines:
    """A terminal that can do no more than lines."""

    def read(self, prompt: str, begin: str = "") -> str:
        """A line."""
        if begin:
            print(f"(was: {begin})")  # noqa: T201 - it is a terminal
        return input(prompt)

    def ask(self, prompt: str) -> str:
        """A line."""
        return input(prompt)


def history_file() -> Path:
    """Where lines that were typed are kept, for the arrow keys of the next chat."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "antiphon" / "chat_history"


def editing(words: Sequence[str], paste: Paste, history: Path | None) -> Keyboard:
    """A keyboard with editing keys, which completes these words at a line's beginning."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()

    def newline(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    def bracketed(event: KeyPressEvent) -> None:
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        files = pasted(text)
        event.current_buffer.insert_text(" ".join(paste(path) for path in files) + " " if files else text)

    # Not Ctrl-J: an Enter that is typed before the line is there arrives as one.
    keys.add("escape", "enter")(newline)
    keys.add(Keys.BracketedPaste)(bracketed)
    kept = InMemoryHistory() if history is None or not _private(history) else FileHistory(str(history))
    completer = WordCompleter(list(words), sentence=True)
    session: PromptSession[str] = PromptSession(
        history=kept, key_bindings=keys, completer=completer, complete_while_typing=False
    )
    plain: PromptSession[str] = PromptSession()

    class Editing:
        """Lines with editing keys."""

        def read(self, prompt: str, begin: str = "") -> str:
            """What the user writes."""
            return session.prompt(prompt, default=begin)

        def ask(self, prompt: str) -> str:
            """A short answer."""
            return plain.prompt(prompt)

    return Editing()


def _private(path: Path) -> bool:
    """Whether there is such a file, for nobody else to read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        return False
    return True
