"""What a model may write, as an llguidance grammar: calls of known tools with inputs that fit, and text around them.

Where the model decides (`auto`), text is free until it holds a trigger; from there on it is a call. Where it must
call, the call comes first and nothing comes after the last one. Source of the notation: guidance-ai/llguidance.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from antiphon.dialogue.tools import Choice, Tool
from antiphon.render.families.markers import Marker, triggers_of
from antiphon.render.families.syntax import CallSyntax
from antiphon.render.grammar import lark
from antiphon.render.grammar.arguments import arguments
from antiphon.render.grammar.lark import Literals, Rules
from antiphon.render.sources import CiteTag

_CITE: Final = "<cite"
"""What every tag that begins a citation begins with."""

SchemaOf = Callable[[Tool], Mapping[str, Any]]


def shape_grammar(shape: Mapping[str, Any]) -> str:
    """A reply that is one JSON value of this schema."""
    return Rules().grammar(lark.json_value(shape))


def call_grammar(
    syntax: CallSyntax,
    tools: Sequence[Tool],
    choice: Choice,
    schema_of: SchemaOf,
    *,
    tokens: Mapping[str, int] | None = None,
    spoken: frozenset[str] = frozenset(),
    shape: Mapping[str, Any] | None = None,
    cites: Sequence[CiteTag] = (),
) -> str:
    """The grammar of one reply.

    `tokens`: the model's control tokens that are markers, by their texts; `spoken`: those of them that may stand in
    the text. `shape`: what the text has to be where the reply is not a call. `cites`: the tags that begin a citation;
    no others may be written. Without a tool all is text, also what would begin a call.
    """
    return _Writer(syntax, tools, choice, schema_of, Literals(tokens or {}), spoken, cites).write(shape)


def _tag(tag: CiteTag) -> str:
    """The rest of the tag behind what all begin with."""
    opening = tag.opening.removeprefix(_CITE)
    if not tag.pieces:
        return lark.quoted(f"{opening}>")
    number = f"({lark.numbers_to(tag.pieces)})"
    return f'/{lark.pattern_of(opening)}( at="{number}(\\-{number})?")?>/'


class _Writer:
    def __init__(
        self,
        syntax: CallSyntax,
        tools: Sequence[Tool],
        choice: Choice,
        schema_of: SchemaOf,
        literals: Literals,
        spoken: frozenset[str],
        cites: Sequence[CiteTag],
    ) -> None:
        self._syntax = syntax
        self._choice = choice
        self._rules = Rules()
        self._literals = literals
        self._spoken = spoken
        self._cites = cites
        self._schema_of = schema_of
        self._tools = [tool for tool in tools if choice.mode != "tool" or tool.name == choice.name]
        self._triggers = triggers_of(syntax) if tools else ()
        controls = [trigger for trigger in self._triggers if literals.first_token(trigger) is not None]
        self._controls = controls
        self._plain = [trigger for trigger in self._triggers if trigger not in controls]

    def write(self, shape: Mapping[str, Any] | None) -> str:
        match self._choice.mode if self._tools else "none":
            case "any" | "tool":
                return self._rules.grammar(self._forced())
            case "none":
                return self._rules.grammar(self._text_alone() if shape is None else lark.json_value(shape))
            case "auto" if shape is not None:
                calls = [f"{self._literals.write(trigger)} {self._after(trigger)}" for trigger in self._all_triggers]
                return self._rules.grammar(" | ".join((lark.json_value(shape), *calls)))
            case "auto" if self._controls:
                return self._rules.grammar(self._among_tokens())
            case "auto":
                return self._rules.grammar(self._among_text())

    @property
    def _all_triggers(self) -> list[str]:
        return [*self._triggers, *self._syntax.first_triggers]

    # Text

    def _free(self, *, first: bool) -> str:
        """Texts without a trigger in any spelling, not empty."""
        unwanted = self._unwanted(self._no_text)
        unwanted += self._not_at_first if first else self._not_behind_a_call
        return self._rules.terminal(lark.without(lark.SOME_TEXT, unwanted))

    @property
    def _not_at_first(self) -> list[str]:
        if not self._tools:
            return []
        return [lark.begins_with(Marker(trigger)) for trigger in self._syntax.first_triggers]

    @property
    def _not_behind_a_call(self) -> list[str]:
        """Where no trigger need stand between two calls, the text behind one must not go on like the next."""
        syntax = self._syntax
        if not self._tools:
            return []
        goes_on = syntax.between + syntax.call_open
        if syntax.section_open or any(trigger in goes_on for trigger in self._triggers):
            return []
        opens = (syntax.call_open, *syntax.lenient_opens)
        markers = [Marker(*parts) for opened in opens for parts in ((syntax.between, opened), (opened,))]
        return [lark.begins_with(marker) for marker in markers]

    def _unwanted(self, markers: Sequence[str]) -> list[str]:
        """Everything that has one of these markers in it."""
        if self._cites:
            # In a pattern for each of several long markers the decoder's lexer grows out of bounds.
            return [lark.contains_any(map(Marker, markers))]
        return [lark.contains_marker(Marker(marker)) for marker in markers]

    @property
    def _no_text(self) -> list[str]:
        """What is no text wherever it stands."""
        return [*self._triggers, *([_CITE] if self._cites else [])]

    def _cited(self, *, first: bool) -> str:
        """Texts with the tags of citations in them, as long as nothing else comes; empty where there are none."""
        return f"({self._citation(first=first)})*" if self._cites else ""

    def _citation(self, *, first: bool) -> str:
        """Text up to a citation, and its tag."""
        unwanted = self._not_at_first if first else self._not_behind_a_call
        unwanted = [*unwanted, *self._unwanted(self._no_text)]
        text = f"({lark.without(lark.ANY_TEXT, unwanted)}) {lark.quoted(_CITE)}"
        tags = self._rules.rule(" | ".join(map(_tag, self._cites)))
        return f"{self._rules.lazy(self._rules.terminal(text))} {tags}"

    def _text_alone(self) -> str:
        return f"{self._cited(first=True)} {self._free(first=True)}? {self._tokens_between('')}".strip()

    def _among_text(self) -> str:
        """Text, in which a trigger begins calls."""
        firsts = self._syntax.first_triggers
        begun = [f"{self._literals.write(trigger)} {self._after(trigger)}" for trigger in firsts]
        opened = [self._opened(trigger, first=bool(firsts)) for trigger in self._plain]
        more = [self._opened(trigger, first=False) for trigger in self._plain]
        text, rest = self._free(first=True), self._free(first=False)
        before, behind = self._cited(first=bool(firsts)), self._cited(first=False)
        told = f"{before} {text}?".strip()
        calls = " | ".join((*begun, *(f"{before} {call}".strip() for call in opened)))
        if not self._choice.parallel or not more:
            return f"{told} | ({calls}) {behind} {rest}?"
        if self._cites:
            more.append(self._citation(first=False))
        if not begun:
            return f"({' | '.join(more)})* {text}?"
        return f"{told} | ({calls}) ({' | '.join(more)})* {rest}?"

    def _opened(self, trigger: str, *, first: bool) -> str:
        unwanted = self._not_at_first if first else self._not_behind_a_call
        unwanted = [*unwanted, *self._unwanted(self._no_text)]
        text = self._rules.terminal(f"({lark.without(lark.ANY_TEXT, unwanted)}) {lark.quoted(trigger)}")
        return f"{self._rules.lazy(text)} {self._after(trigger)}"

    def _among_tokens(self) -> str:
        """Text and control tokens, of which some begin calls."""
        firsts = self._syntax.first_triggers
        begun = [f"{self._literals.write(trigger)} {self._after(trigger)}" for trigger in firsts]
        rest = self._free(first=False)
        calls = [f"{self._literals.write(trigger)} {self._after(trigger)} {rest}?" for trigger in self._controls]
        others = self._tokens_between(rest)
        if self._cites:
            others = " | ".join(filter(None, (others, f"{self._citation(first=False)} {rest}?")))
        text = f"{self._free(first=True)}?"
        if self._choice.parallel:
            chunks = " | ".join((*calls, others)) if others else " | ".join(calls)
            return f"({' | '.join((text, *begun))}) ({chunks})*"
        free = f"({others})*" if others else ""
        return " | ".join((f"{text} {free} (({' | '.join(calls)}) {free})?", *(f"{call} {free}" for call in begun)))

    def _tokens_between(self, rest: str) -> str:
        """Control tokens that may stand in the text, each with the text behind it, as long as that makes no call."""
        told: list[str] = []
        for token in sorted(self._spoken & self._literals.tokens.keys()):
            tails = [trigger.removeprefix(token) for trigger in self._controls if trigger.startswith(token)]
            if "" in tails:
                continue
            unwanted = self._unwanted(self._no_text)
            unwanted += [lark.begins_with(Marker(tail)) for tail in tails]
            behind = self._rules.terminal(lark.without(lark.SOME_TEXT, unwanted)) if tails or not rest else rest
            told.append(f"{self._literals.write(token)} {behind}?")
        if rest or not told:
            return " | ".join(told)
        return f"({' | '.join(told)})*"

    # Calls

    def _forced(self) -> str:
        syntax = self._syntax
        told = [self._joined(syntax.section_open, self._calls(syntax.call_open), syntax.section_close)]
        usual = syntax.section_open + syntax.call_open
        others = [trigger for trigger in self._controls if not usual.startswith(trigger)]
        told += [f"{self._literals.write(trigger)} {self._after(trigger)}" for trigger in others]
        return " | ".join(told)

    def _calls(self, first_open: str) -> str:
        """One call, or as many as the choice allows; `first_open`: what is left of the first one's opening."""
        named = self._named
        calls = f"{self._literals.write(first_open)} {named}".strip()
        if self._choice.parallel:
            another = self._literals.write(self._syntax.between + self._syntax.call_open)
            calls = f"{calls} ({another} {named})*"
        return calls

    def _after(self, trigger: str) -> str:
        """What comes once the trigger is written."""
        syntax = self._syntax
        whole = syntax.section_open + syntax.call_open
        if syntax.section_open and syntax.section_open.startswith(trigger):
            rest = syntax.section_open.removeprefix(trigger)
            return self._joined(rest, self._calls(syntax.call_open), syntax.section_close)
        if whole.startswith(trigger):
            return self._joined("", self._calls(whole.removeprefix(trigger)), syntax.section_close)
        for opening in (syntax.call_open, *syntax.lenient_opens):
            if opening.startswith(trigger):
                return self._calls(opening.removeprefix(trigger))
        first = self._triggers[0] if self._triggers else ""
        rest = syntax.section_open.removeprefix(first) if first else syntax.section_open
        return self._joined(rest, self._calls(syntax.call_open), syntax.section_close)

    def _joined(self, before: str, calls: str, behind: str) -> str:
        return " ".join(part for part in (self._literals.write(before), calls, self._literals.write(behind)) if part)

    @cached_property
    def _named(self) -> str:
        """A call from its name on."""
        return self._rules.rule(" | ".join(map(self._tool, self._tools)))

    def _tool(self, tool: Tool) -> str:
        syntax = self._syntax
        name = self._literals.write(tool.name + syntax.after_name)
        inner = arguments(syntax, tool, self._schema_of(tool), self._rules, self._literals)
        return self._rules.rule(f"{name} {inner}")
