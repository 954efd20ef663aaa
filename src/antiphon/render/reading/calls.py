"""Tool calls out of a model's text, while it is being written.

Theory of operation. The reader is in one state at a time, a method that reads on from `_at` and says whether it got
anywhere; with `_final` set it must. Text that may still become markup is held back, and comes out as text when it
does not. A call that names no known tool is read to its end like any other and then given back as the text that it
was.

Where the engine keeps to a grammar (`enforced`), a call comes out while it is written, and begins only where the
grammar takes it to begin: what the grammar holds for text is text, however much it looks like a call. Elsewhere it is
held back until it is complete, because what cannot be read as a call is text, and nothing that was sent can be taken
back.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal

from antiphon.dialogue.events import CallArguments, CallEnd, CallStart, ReplyEvent, TextDelta
from antiphon.dialogue.tools import Tool
from antiphon.render.families.markers import NO, PART, Openings, Spellings, skip_space, triggers_of
from antiphon.render.families.syntax import CallSyntax
from antiphon.render.reading.arguments import ArgumentReader, argument_reader

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]*")

_LONGEST_NAME: Final = 256

Progress = Literal["on", "wait"]


class CallReader:
    """Reads one reply. `new_id` makes the ids of calls. The same text gives the same events under every cut.

    Pieces of text and of arguments may be cut differently; joined they are the same. `forced`: the reply has to begin
    with a call, which may be of the tool `named` only where there is one.
    """

    def __init__(
        self,
        syntax: CallSyntax,
        tools: Sequence[Tool],
        new_id: Callable[[], str],
        *,
        enforced: bool = True,
        forced: bool = False,
        named: str | None = None,
    ) -> None:
        self._syntax = syntax
        self._tools = {tool.name: tool for tool in tools}
        self._new_id = new_id
        self._enforced = enforced
        self._forced = forced
        self._callable = [tool.name for tool in tools if named in (None, tool.name)]
        self._openings = Openings.of(syntax)
        self._may_begin = self._openings.first.begins()
        self._after_name = Spellings.of((syntax.after_name,), *((text,) for text in syntax.lenient_after_names))
        self._call_close = Spellings.of((syntax.call_close,), *((text,) for text in syntax.lenient_closes))
        self._section_close = Spellings.of((syntax.section_close,))
        self._text = ""
        self._at = 0
        self._final = False
        self._state: Callable[[], Progress] = self._in_text
        self._nothing_said = True
        self._events: list[ReplyEvent] = []
        self._call = _Call(None)
        self.calls = 0
        """How many calls the reply has made so far."""
        self.over = False
        """The model has begun to write what only the server may tell it: the reply ended before."""

    def feed(self, text: str) -> list[ReplyEvent]:
        """What this text adds."""
        self._text += text
        self._run()
        begun = self._call.begins_at
        done = self._at if begun is None else begun
        self._text, self._at = self._text[done:], self._at - done
        if begun is not None:
            self._call.begins_at = 0
        return self._take()

    def finish(self, *, cut: bool) -> list[ReplyEvent]:
        """What was still held back when the model ended its turn, or was `cut` off in it.

        A call that was cut stays cut: its pieces are the beginning of an object. Where it was cut before or inside of
        its name, it is one as soon as no other tool can be meant.
        """
        if cut and self._state not in (self._in_text, self._between):
            self._cut()
        elif cut and self._enforced and self._forced and self.calls == 0 and self._nothing_said:
            self._begin_with("", whole=False)
        elif not (cut and self._enforced and self._opens()):
            self._final = True
            self._run()
        return self._take()

    def _opens(self) -> bool:
        """Whether what is held back is certainly the beginning of a call that did not come to its name."""
        if self._state == self._between:
            begin = skip_space(self._text, self._at)
            follow = (self._openings.next, self._section_close)
            return any(one.match(self._text, begin, final=False) == PART for one in follow)
        held = self._text[self._at :].strip()
        forced = self._forced and self.calls == 0
        return bool(held) and (forced or held.startswith(triggers_of(self._syntax)))

    def _take(self) -> list[ReplyEvent]:
        events, self._events = self._events, []
        return events

    def _run(self) -> None:
        while not self.over and self._state() == "on":
            pass

    # Text

    def _say(self, end: int) -> None:
        if end > self._at:
            text = self._text[self._at : end]
            self._nothing_said = self._nothing_said and not text.strip()
            self._events.append(TextDelta(text))
        self._at = end

    def _in_text(self) -> Progress:
        at = self._at
        openings = self._openings.first if self._nothing_said else self._openings.anywhere
        foreign = self._syntax.foreign if self.calls else ()
        while (found := self._may_begin.search(self._text, at) if self._may_begin else None) is not None:
            at = found.start()
            if self._nothing_said and self._text[self._at : at].strip():
                self._say(at)
                openings = self._openings.anywhere
            for mark in foreign:
                if self._text.startswith(mark, at):
                    self._say(at)
                    self.over = True
                    return "wait"
            end = openings.match(self._text, at, final=self._final)
            half = not self._final and any(mark.startswith(self._text[at:]) for mark in foreign)
            exact = openings.exact if self._enforced else ("",)
            if end >= 0 and not half and self._text.startswith(exact, at):
                self._say(at)
                self._open(end)
                return "on"
            if end == PART or half:
                break
            at += 1
        else:
            at = len(self._text)
        self._say(at)
        return "wait"

    # Calls

    def _open(self, name_at: int) -> None:
        self._call = _Call(self._at)
        self._at = name_at
        self._state = self._in_name

    def _in_name(self) -> Progress:
        begin = skip_space(self._text, self._at)
        found = _NAME.match(self._text, begin)
        assert found is not None
        end = found.end()
        if end == len(self._text) and not self._final and end - begin <= _LONGEST_NAME:
            return "wait"
        end = skip_space(self._text, end)
        close = self._after_name.match(self._text, end, final=self._final)
        if close == PART or (end == len(self._text) and not self._final):
            return "wait"
        if not found[0] or close == NO:
            return self._give_back()
        self._at = close
        tool = self._tools.get(found[0])
        self._call.tool = tool
        self._call.name = found[0]
        self._call.arguments = argument_reader(self._syntax, tool, enforced=self._enforced)
        self._state = self._in_arguments
        return "on"

    def _in_arguments(self) -> Progress:
        reader = self._call.arguments
        assert reader is not None
        piece, self._at = reader.read(self._text, self._at, final=self._final)
        self._argue(piece)
        if reader.broken:
            return self._break_off()
        if not reader.done:
            return "wait"
        self._state = self._at_close
        return "on"

    def _at_close(self) -> Progress:
        begin = skip_space(self._text, self._at)
        end = self._call_close.match(self._text, begin, final=self._final)
        if end == PART or (begin == len(self._text) and not self._final):
            return "wait"
        if end >= 0:
            self._at = end
        elif not self._call.started and self._call.arguments is not None and self._call.arguments.empty:
            # An opening and nothing else is somebody speaking of calls.
            return self._give_back()
        elif self._final:
            # The model ended its turn inside the marker that ends the call.
            held = self._text[begin:]
            if any(marker.match(held, 0) == PART for marker in self._call_close.markers):
                self._at = len(self._text)
        self._end_call()
        return "on"

    def _between(self) -> Progress:
        begin = skip_space(self._text, self._at)
        if begin == len(self._text) and not self._final:
            return "wait"
        closed = self._section_close.match(self._text, begin, final=self._final) if self._syntax.section_close else NO
        if closed >= 0:
            self._at = closed
            self._state = self._in_text
            return "on"
        opened = self._openings.next.match(self._text, begin, final=self._final)
        if PART in (closed, opened):
            return "wait"
        if opened >= 0 and self._text.startswith(self._openings.next.exact if self._enforced else ("",), begin):
            self._open(opened)
            return "on"
        if self._final and any(m.match(self._text, begin) == PART for m in self._section_close.markers):
            self._at = len(self._text)
        self._state = self._in_text
        return "on"

    # Events of a call

    @property
    def _streams(self) -> bool:
        return self._enforced and self._call.tool is not None

    def _argue(self, piece: str) -> None:
        call = self._call
        if self._streams and not call.started and (piece or (call.arguments and call.arguments.done)):
            self._start()
        if piece:
            call.pieces.append(piece)
        if call.started and any(call.pieces):
            self._events.append(CallArguments("".join(call.pieces)))
            call.pieces.clear()

    def _start(self) -> None:
        self._call.started = True
        self._call.begins_at = None
        self._events.append(CallStart(self._new_id(), self._call.name))

    def _end_call(self, *, whole: bool = True) -> None:
        if self._call.tool is None:
            self._give_back()
            return
        if not self._call.started:
            self._start()
            self._argue("")
        self._events.append(CallEnd(whole))
        self.calls += 1
        self._nothing_said = False
        self._call = _Call(None)
        self._state = self._between

    def _give_back(self) -> Progress:
        """What looked like a call is text, all of it."""
        begun = self._call.begins_at
        assert begun is not None
        end, self._at = max(self._at, begun + 1), begun
        self._call = _Call(None)
        self._say(end)
        self._state = self._in_text
        return "on"

    def _break_off(self) -> Progress:
        """The arguments cannot be read. What was sent of them is completed, what was not is text."""
        call = self._call
        if not call.started:
            return self._give_back()
        assert call.arguments is not None
        self._argue(call.arguments.closing())
        self._end_call(whole=False)
        self._state = self._in_text
        return "on"

    def _cut(self) -> None:
        """The limit fell inside a call: it is left as it is. Without its name it is not even one."""
        call = self._call
        if call.tool is None or call.arguments is None:
            if call.name or not self._enforced:
                self._at = len(self._text)
                self._give_back()
                return
            begin = skip_space(self._text, self._at)
            found = _NAME.match(self._text, begin)
            assert found is not None
            self._begin_with(found[0], whole=found.end() < len(self._text))
            return
        call.pieces.append(call.arguments.cut(self._text, self._at))
        if not call.started:
            self._start()
        self._argue("")
        self._events.append(CallEnd())
        self.calls += 1

    def _begin_with(self, name: str, *, whole: bool) -> None:
        """A call of the one tool whose name begins like this, if there is one; `whole`: the name is complete."""
        fitting = [one for one in self._callable if (one == name if whole else one.startswith(name))]
        if len(fitting) == 1:
            self._events += [CallStart(self._new_id(), fitting[0]), CallEnd()]
            self.calls += 1


class _Call:
    """A call that is being read. `begins_at`: its markup's place in the text, None once it was sent."""

    __slots__ = ("arguments", "begins_at", "name", "pieces", "started", "tool")

    def __init__(self, begins_at: int | None) -> None:
        self.begins_at = begins_at
        self.name = ""
        self.tool: Tool | None = None
        self.arguments: ArgumentReader | None = None
        self.pieces: list[str] = []
        self.started = False
