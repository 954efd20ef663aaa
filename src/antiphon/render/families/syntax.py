"""How one kind of model writes tool calls, as data: from the same facts come rendering, parser and grammar.

    section_open  call_open NAME after_name ARGUMENTS call_close  between  call_open …  section_close

A family file is one `Family` value with its sources. Nothing here reads or writes text.
"""

from dataclasses import dataclass
from typing import Final, Literal

from antiphon.profiles import Effort


@dataclass(frozen=True, slots=True)
class JsonArguments:
    """The arguments are one JSON object."""


@dataclass(frozen=True, slots=True)
class TaggedArguments:
    """Each argument is a tagged stretch: strings as they are (spaces kept), everything else as JSON.

    Written: `open NAME after_name VALUE close`, one after the other.
    """

    open: str
    after_name: str
    close: str


@dataclass(frozen=True, slots=True)
class QuotedArguments:
    """The arguments are one object as in JSON, except that keys are bare and strings stand between two `quote`s.

    Nothing is escaped in a string: it ends at the next `quote`.
    """

    quote: str


@dataclass(frozen=True, slots=True)
class CallSyntax:
    """The text of calls.

    `{index}` in `after_name` or `call_open` is the call's number in the reply, from 0 (read: any digits); `{id}` in
    `after_name`, `call_close` or their lenient spellings is the call's id (read: nine letters or digits, and of no
    account).

    `triggers`: texts that begin a call section wherever they occur in the model's text (defaults to the section's or
    the call's opening). `first_triggers`: texts that do so only as the beginning of the reply's text, white space
    apart: such a family's calls look like text elsewhere. `lenient_opens`: other spellings of `call_open` that models
    are known to write; read, never written; `lenient_after_names` and `lenient_closes` are the same for `after_name`
    and `call_close`. `control`: the markers that are control tokens in such models, which an engine must be asked to
    show.
    """

    call_open: str
    after_name: str
    arguments: JsonArguments | TaggedArguments | QuotedArguments
    call_close: str
    section_open: str = ""
    between: str = ""
    section_close: str = ""
    triggers: tuple[str, ...] = ()
    first_triggers: tuple[str, ...] = ()
    lenient_opens: tuple[str, ...] = ()
    lenient_after_names: tuple[str, ...] = ()
    lenient_closes: tuple[str, ...] = ()
    control: frozenset[str] = frozenset()
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThoughtSyntax:
    """The text of a thought and of what comes behind it.

        open THOUGHT before_close close after ANSWER

    `before_close` is left out where the model wrote it itself. `frame`: markup that such models are known to write
    around an answer behind a thought; dropped there. `told`: how thoughts of earlier replies are told: in a `field`
    of the template's messages (inline where this template has none), `inline` as text, or not at all, because such
    templates have no place for them (`dropped`). Which of them a template then tells is its own rule.
    """

    open: str
    close: str
    before_close: str = ""
    after: str = ""
    frame: tuple[str, ...] = ()
    told: Literal["field", "inline", "dropped"] = "field"


UNIVERSAL_THOUGHT: Final = ThoughtSyntax("<thinking>\n", "</thinking>", "\n", "\n\n", told="inline")
"""For models that do not reason by nature: the tags that the API's own documents use for thoughts in a prompt."""

TAGGED_THOUGHT: Final = ThoughtSyntax("<think>\n", "</think>", "\n", "\n\n")
"""What most models that reason by nature write."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of model.

    `detect`: a model is of this family when all of these texts occur in its chat template (first family that fits,
    in the registry's order). `definitions`: who writes the tool definitions into the prompt, the model's own
    `template` (its `tools` variable) or a `system` prompt of ours. `history`: how earlier calls and results are told,
    as `fields` of the template's messages (`tool_calls`, role `tool`) or as `text` in this family's own syntax.
    `sources`: where the format is published. `call_ids`: what stands for a call's id in `fields`: the `given` one,
    `nine` letters and digits made from it, or `functions.NAME:INDEX`, counted in each turn from 0 (`numbered`).
    `reasoning`: opening and closing of the stretches of the model's text that are reasoning; where the prompt has
    opened one already, the reply begins inside it. `hidden`: markup around the text, which is neither text nor
    reasoning and is dropped; where several markers fit, the longest counts. `thought`: how such a model writes the
    thought before its answer where its template knows the closing; models that do not reason by nature get the
    universal one. `efforts`: what the template's `reasoning_effort` may be, ascending.
    """

    name: str
    syntax: CallSyntax
    detect: tuple[str, ...]
    definitions: Literal["template", "system"]
    history: Literal["fields", "text"]
    sources: tuple[str, ...]
    call_ids: Literal["given", "nine", "numbered"] = "given"
    reasoning: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = ()
    thought: ThoughtSyntax = UNIVERSAL_THOUGHT
    efforts: tuple[Effort, ...] = ()
