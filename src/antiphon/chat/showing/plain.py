"""A turn in a pipe: the words of the reply and nothing else; or all that the API says, as lines of JSON."""

import json
from typing import IO, Any

from antiphon.chat.problems import Json
from antiphon.chat.showing.words import call_line, ending


class Plain:
    """Writes the model's words to `out` as they come, and all else to `err`."""

    def __init__(self, out: IO[str], err: IO[str]) -> None:
        self._out = out
        self._err = err
        self._mid_line = False

    def begin(self) -> None:
        """Nothing is to be seen."""

    def thinking(self, piece: str) -> None:
        """Thoughts are not part of the answer."""

    def text(self, piece: str) -> None:
        """So much more has been said."""
        if piece:
            self._out.write(piece)
            self._out.flush()
            self._mid_line = not piece.endswith("\n")

    def calling(self, name: str, given: Any) -> None:
        """The model calls a tool with this."""
        self._end_line()
        self.note(f"→ {call_line(name, given, 200)}")

    def result(self, name: str, text: str, failed: bool) -> None:
        """Only failures are told: what a tool came to is the model's business."""
        if failed:
            self.note(f"← {call_line(name, text, 200)}")

    def end(self, message: Json) -> None:
        """A reply has ended."""
        self._end_line()
        text = ending(message["stop_reason"])
        if text:
            self.note(text)

    def results(self, message: Json) -> None:
        """Nothing is to be seen."""

    def broke_off(self) -> None:
        """A reply has ended before its end."""
        self._end_line()

    def note(self, text: str) -> None:
        """Something that the user should know."""
        self._err.write(f"{text}\n")
        self._err.flush()

    def _end_line(self) -> None:
        if self._mid_line:
            self._out.write("\n")
            self._out.flush()
            self._mid_line = False


class Lines(Plain):
    """A line of JSON for each message of the turn, as the API has it."""

    def text(self, piece: str) -> None:
        """It is in the message."""

    def calling(self, name: str, given: Any) -> None:
        """It is in the message."""

    def result(self, name: str, text: str, failed: bool) -> None:
        """It is in the message."""

    def end(self, message: Json) -> None:
        """A reply has ended: its message."""
        self._write(message)

    def results(self, message: Json) -> None:
        """What goes back to the model."""
        self._write(message)

    def _write(self, message: Json) -> None:
        self._out.write(json.dumps(message, ensure_ascii=False) + "\n")
        self._out.flush()
