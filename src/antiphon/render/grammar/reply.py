"""The grammar that one reply keeps to, made so that it compiles: an engine would pass over one that does not.

What a schema asks beyond what can be decoded is dropped where the client has not asked for a guarantee (`strict`): a
tool keeps its name and its required parameters in any case.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.tools import Choice, Tool
from antiphon.render.families.markers import Marker, triggers_of
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.calls import call_grammar, shape_grammar
from antiphon.render.grammar.lark import SOME_TEXT, Literals, Rules, without
from antiphon.render.grammar.schemas import compilable, relaxed
from antiphon.render.sources import sources_of

_SPACE: Final = r"[\s\x00-\x1f]"

_SOME_WORD: Final = r"/(?s:.*)[^\s\x00-\x1f](?s:.*)/"


class GrammarError(Exception):
    """No grammar keeps what was promised; the text says of what."""


def reply_grammar(family: Family, conversation: Conversation, tokens: Mapping[str, int]) -> str | None:
    """What the reply may be, None where it may be anything. `tokens`: the markers that are control tokens."""
    shape = conversation.shape
    if shape is not None:
        shape = compilable(shape) or relaxed(shape)
    if not conversation.tools and shape is not None:
        return _checked(shape_grammar(shape), "output_config.format.schema")
    if not conversation.tools and not sources_of(conversation):
        return None
    maker = _Maker(family, conversation, tokens, shape)
    for bare in maker.relaxations():
        text = maker.write(bare)
        if not _refusal(text):
            return text
    raise GrammarError("tools: the schemas of the strict tools are too complex to be guaranteed together.")


def thought_grammar(family: Family, tokens: Mapping[str, int]) -> str:
    """What a thought may be that must not be empty: anything, once a word is written that ends none.

    `tokens`: the markers that are control tokens. No text ever is one, so that they are let through by their numbers.
    """
    rules, literals = Rules(), Literals(tokens)
    ends = (family.thought.close, *triggers_of(family.syntax))
    word = rules.terminal(without(_SOME_WORD, (f"/{_SPACE}*{Marker(end).pattern()}(?s:.*)/" for end in ends)))
    controls = " | ".join(map(literals.write, sorted(tokens)))
    return rules.grammar(f"{word} (({controls}) {rules.terminal(SOME_TEXT)}?)*" if controls else word)


class _Maker:
    def __init__(
        self,
        family: Family,
        conversation: Conversation,
        tokens: Mapping[str, int],
        shape: Mapping[str, Any] | None,
    ) -> None:
        self._family = family
        self._conversation = conversation
        self._tokens = tokens
        self._shape = shape
        self._cites = tuple(source.tag for source in sources_of(conversation))
        around = "".join((*family.hidden, *(mark for pair in family.reasoning for mark in pair)))
        self._spoken = frozenset(token for token in tokens if token in around)

    def write(self, bare: frozenset[str]) -> str:
        """The grammar; of the tools in `bare` only the names of their parameters are kept."""
        return self._write(self._conversation.offered, self._conversation.choice, bare, self._shape)

    def relaxations(self) -> Iterator[frozenset[str]]:
        """What to try in turn: nothing, the tools that do not compile, all that may be relaxed."""
        loose = [tool for tool in self._conversation.offered if not tool.strict]
        yield frozenset()
        yield frozenset(tool.name for tool in loose if not self._compiles(tool))
        yield frozenset(tool.name for tool in loose)

    def _compiles(self, tool: Tool) -> bool:
        return not _refusal(self._write((tool,), Choice("tool", tool.name), frozenset(), None))

    def _write(
        self, tools: tuple[Tool, ...], choice: Choice, bare: frozenset[str], shape: Mapping[str, Any] | None
    ) -> str:
        return call_grammar(
            self._family.syntax,
            tools,
            choice,
            lambda tool: _bare(tool.schema) if tool.name in bare else _schema_of(tool),
            tokens=self._tokens,
            spoken=self._spoken,
            shape=shape,
            cites=self._cites,
        )


def _schema_of(tool: Tool) -> Mapping[str, Any]:
    schema = tool.schema if tool.held is None else tool.held
    guaranteed = compilable(schema) if tool.strict else None
    return relaxed(schema) if guaranteed is None else guaranteed


def _bare(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Names and required parameters, and nothing else."""
    properties: object = schema.get("properties")
    names = list(cast("dict[str, Any]", properties)) if isinstance(properties, dict) else []
    form: dict[str, Any] = {"type": "object", "properties": {name: {} for name in names}}
    return {**form, "required": list(schema.get("required") or [])}


def _checked(text: str, place: str) -> str:
    refusal = _refusal(text)
    if refusal:
        raise GrammarError(f"{place}: Schema is too complex for compilation.")
    return text


def _refusal(text: str) -> str:
    """Why the decoder will not have the grammar, empty if it will."""
    from llguidance import LLMatcher  # 3 MiB, for requests with a grammar

    return LLMatcher.validate_grammar(LLMatcher.grammar_from_lark(text))
