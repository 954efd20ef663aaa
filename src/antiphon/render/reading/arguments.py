"""The arguments of one call out of a model's text, as pieces of one JSON object."""

import re
from typing import Final, Protocol

from antiphon.dialogue.tools import Tool
from antiphon.render.families.argument_kinds import STRING, Kind, kind_of
from antiphon.render.families.fixed_texts import FixedTexts, anywhere, of_parameter
from antiphon.render.families.markers import NO, PART, Spellings, skip_space
from antiphon.render.families.syntax import CallSyntax, JsonArguments, QuotedArguments, TaggedArguments
from antiphon.render.families.value_ends import NOT_YET, ValueEnds
from antiphon.render.reading.json_stream import JsonStream, as_json, escaped
from antiphon.render.reading.quoted import QuotedStream

_NESTED_BY_OPENING: Final = {"{": "object", "[": "array"}

_NESTED: Final = frozenset(_NESTED_BY_OPENING.values())

_PARAMETER: Final = re.compile(r"[^<>\"'\s]{0,256}")


class ArgumentReader(Protocol):
    """Reads on from a place in the text. `done`: the arguments are complete; `broken`: they cannot be read.

    `empty`: there was not one argument.
    """

    done: bool
    broken: bool

    @property
    def empty(self) -> bool:
        """Whether no argument has come."""
        ...

    def read(self, text: str, at: int, *, final: bool) -> tuple[str, int]:
        """What the text from `at` adds to the JSON, and how far it was read; the rest is to come again with more."""
        ...

    def closing(self) -> str:
        """What completes the object from here on."""
        ...

    def cut(self, text: str, at: int) -> str:
        """What can still be said of the object, given that nothing comes after this text."""
        ...


def argument_reader(syntax: CallSyntax, tool: Tool | None, *, enforced: bool) -> ArgumentReader:
    """The reader for a call of this tool; None for a tool that nobody knows. `enforced`: a grammar held the model."""
    match syntax.arguments:
        case JsonArguments():
            return ObjectReader(JsonStream(object_only=True))
        case QuotedArguments(quote=quote):
            return ObjectReader(QuotedStream(quote, () if tool is None else anywhere(tool.schema)))
        case TaggedArguments() as tags:
            return TaggedReader(tags, syntax, tool, enforced=enforced)


class ObjectReader:
    """Arguments that are one object already."""

    def __init__(self, stream: JsonStream | QuotedStream) -> None:
        self._stream = stream
        self.done = False
        self.broken = False
        self.empty = False

    def read(self, text: str, at: int, *, final: bool) -> tuple[str, int]:
        """See `ArgumentReader`."""
        if isinstance(self._stream, QuotedStream):
            self._stream.final = final
        piece, at = self._stream.feed(text, at)
        self.done = self._stream.done
        self.broken = self._stream.broken or (final and not self.done)
        return piece, at

    def closing(self) -> str:
        """See `ArgumentReader`."""
        return self._stream.closing()

    def cut(self, text: str, at: int) -> str:
        """See `ArgumentReader`."""
        return ""


class TaggedReader:
    """Arguments in tags.

    Strings come out while they are written, and so do lists and objects that a grammar holds to JSON; other values
    come out when they are complete.
    """

    def __init__(self, tags: TaggedArguments, syntax: CallSyntax, tool: Tool | None, *, enforced: bool) -> None:
        self._schema = None if tool is None else tool.schema
        self._open = Spellings.of((tags.open,))
        self._after_name = Spellings.of((tags.after_name,))
        self._lead = tags.after_name[len(tags.after_name.rstrip()) :]
        self._close = tags.close.strip()
        self._ends = ValueEnds(tags, syntax, enforced=enforced)
        self.done = False
        self.broken = False
        self._values = 0
        self._name: str | None = None
        self._kind: Kind = STRING
        self._fixed = FixedTexts(())
        self._in_string = False
        self._enforced = enforced
        self._nested: _Nested | None = None
        self._is_plain = False

    @property
    def empty(self) -> bool:
        """See `ArgumentReader`."""
        return self._values == 0 and self._name is None

    def read(self, text: str, at: int, *, final: bool) -> tuple[str, int]:
        """See `ArgumentReader`."""
        pieces: list[str] = []
        while not self.done and not self.broken:
            step = self._parameter if self._name is None else self._value
            before = at, self._name
            at = step(text, at, pieces, final=final)
            if before == (at, self._name):
                break
        return "".join(pieces), at

    def closing(self) -> str:
        """See `ArgumentReader`."""
        if self._nested is not None and self._nested.streams:
            return f"{self._nested.json.closing()}}}"
        return '"}' if self._in_string else "}" if self._values else "{}"

    def cut(self, text: str, at: int) -> str:
        """See `ArgumentReader`."""
        if self._nested is None or self._nested.streams or self._kind.string:
            return ""
        return self._key() + "".join(self._nested.told)

    def _parameter(self, text: str, at: int, pieces: list[str], *, final: bool) -> int:
        begin = skip_space(text, at)
        opened = PART if begin == len(text) and not final else self._open.match(text, begin, final=final)
        if opened == PART:
            return at
        if opened == NO:
            self.done = True
            pieces.append("}" if self._values else "{}")
            return begin
        opened = skip_space(text, opened)
        found = _PARAMETER.match(text, opened)
        assert found is not None
        if found.end() == len(text) and not final:
            return at
        after = self._after_name.match(text, found.end(), final=final)
        if after == PART or (after >= 0 and not final and self._lead_is_open(text[after:])):
            return at
        if after == NO or not found[0]:
            self.broken = True
            return at
        self._name = found[0]
        self._kind = STRING if self._schema is None else kind_of(self._name, self._schema)
        # A text is only in doubt where it holds the tag.
        listed = () if self._schema is None else of_parameter(self._name, self._schema)
        self._fixed = FixedTexts(text for text in listed if self._close in text)
        self._is_plain = not self._kind.others & _NESTED
        return after + len(self._lead) if text.startswith(self._lead, after) else after

    def _lead_is_open(self, rest: str) -> bool:
        """Whether more text will tell if the value begins behind the white space that belongs to the tag."""
        return len(rest) < len(self._lead) and self._lead.startswith(rest)

    def _value(self, text: str, at: int, pieces: list[str], *, final: bool) -> int:
        if not self._is_plain and not self._in_string:
            read = self._list_or_object(text, at, pieces, final=final)
            if read is not None:
                return read
        end, after = self._ends.find(text, at, self._fixed, final=final)
        if after != NOT_YET:
            self._whole(text[at:end], pieces)
            return after
        if not self._kind.string:
            return at
        if not self._in_string:
            if self._kind.others and self._kind.may_be_other(text[at:end]):
                return at
            pieces.append(f'{self._key()}"')
            self._in_string = True
        pieces.append(escaped(text[at:end]))
        self._fixed.passed(text[at:end])
        return end

    def _list_or_object(self, text: str, at: int, pieces: list[str], *, final: bool) -> int | None:
        """Read to its own end, since its strings may hold the tag that closes it; None: the value is neither."""
        if self._nested is None:
            begin = skip_space(text, at)
            if begin == len(text) and not final:
                return at
            if begin == len(text) or _NESTED_BY_OPENING.get(text[begin]) not in self._kind.others:
                self._is_plain = True
                return None
            self._nested = _Nested(begin - at, streams=self._enforced and not self._kind.string)
            if self._nested.streams:
                pieces.append(self._key())
        nested = self._nested
        piece, end = nested.json.feed(text, at + nested.read)
        if nested.streams:
            pieces.append(piece)
            at = end
        nested.told.append(piece)
        nested.read = end - at
        after = skip_space(text, end)
        if nested.json.done and text.startswith(self._close, after):
            return self._unnest(pieces, after + len(self._close))
        ends = nested.json.done and (self._close.startswith(text[after:]) or self._ends.fit(text, after))
        if not final and not nested.json.broken and (ends or not nested.json.done):
            return at
        if ends:
            return self._unnest(pieces, len(text))
        if nested.streams:
            self.broken = True
            return at
        self._nested = None
        self._is_plain = True
        return None

    def _unnest(self, pieces: list[str], end: int) -> int:
        assert self._nested is not None
        if not self._nested.streams:
            pieces.append(self._key() + "".join(self._nested.told))
        self._nested = None
        self._name = None
        return end

    def _whole(self, value: str, pieces: list[str]) -> None:
        """The value, or what is left of it, is known to its end."""
        if self._in_string:
            pieces.append(f'{escaped(value)}"')
        else:
            other = as_json(value) if self._kind.others else None
            if other is None or (self._kind.string and _type(other) not in self._kind.others):
                other = f'"{escaped(value)}"'
            pieces.append(self._key() + other)
        self._in_string = False
        self._name = None

    def _key(self) -> str:
        self._values += 1
        return f'{", " if self._values > 1 else "{"}"{escaped(self._name or "")}": '


class _Nested:
    """A list or object that is being read. `read`: how far, from where the value begins; `streams`: told already."""

    def __init__(self, read: int, *, streams: bool) -> None:
        self.json = JsonStream()
        self.told: list[str] = []
        self.read = read
        self.streams = streams


def _type(value: str) -> str:
    match value[0]:
        case "{":
            return "object"
        case "[":
            return "array"
        case "t" | "f":
            return "boolean"
        case "n":
            return "null"
        case '"':
            return "string"
        case _:
            return "integer" if value.lstrip("-").isdigit() else "number"
