"""The sandbox that chat templates run in: Jinja's immutable one, with short cuts to the same answers.

Its environment is the one that chat templates are written for (trimmed blocks, loop controls, `tojson`); source: the
chat-template documentation of the transformers library. Nothing is allowed here that Jinja's sandbox does not allow:
what has no short cut goes its way.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any, Final, cast

from jinja2 import Template, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from antiphon.render.prompt.kept import KeptTexts
from antiphon.render.prompt.macros import repeatable_macros

_OF_DICTS: Final = frozenset(dir(dict))

_READING_DICTS: Final = frozenset({"get", "items", "keys", "values"})

_FORMATTING: Final = frozenset({"format", "format_map"})

_PROGRAMS: Final = 32
"""So many templates need not be compiled again for the next sandbox."""

_kind_of = cast("Callable[[Any], object]", type)

_DATA: Final = frozenset({str, int, bool, float, list, dict, type(None)})


class Sandbox(ImmutableSandboxedEnvironment):
    """Compiles one template. What its macros say of long values, and long values as JSON, is kept in `kept`.

    `repeatable`: the names of the macros of which that is so.
    """

    def __init__(self, kept: KeptTexts) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation])
        self.filters["tojson"] = self._to_json
        self._kept = kept
        self.repeatable: frozenset[str] = frozenset()
        self._within = False

    def compiled(self, source: str) -> Template:
        """The template; raises what Jinja raises."""
        self.repeatable, program = _program(source)
        template = self.template_class.from_code(self, program, self.make_globals(None))
        # Jinja looks its globals up in two layers, and copies them key by key for every rendering.
        template.globals = dict(template.globals)
        return template

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What `obj.attribute` is in a template: the same as in Jinja's sandbox, found faster in data."""
        kind = _kind_of(obj)
        if kind is dict:
            if attribute not in _OF_DICTS:
                return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
            if attribute in _READING_DICTS:
                return getattr(obj, attribute)
        elif kind is str:
            if attribute[:1] != "_" and attribute not in _FORMATTING and hasattr(obj, attribute):
                return getattr(obj, attribute)
        elif attribute[:1] != "_" and (kind is LoopContext or kind is Namespace):
            value = getattr(obj, attribute, self) if kind is LoopContext else _attributes(obj).get(attribute, self)
            if type(value) in _DATA:
                return value
        return super().getattr(obj, attribute)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as Jinja has it
        """A call in a template; what a macro has said of the same arguments before, it need not say again."""
        ask = super().call
        if __self._within or type(__obj) is not Macro or __obj.name not in __self.repeatable:
            return ask(__context, __obj, *args, **kwargs)
        return __self._kept.get(
            f"macro {__obj.name}",
            (args, kwargs),
            lambda: __self._alone(lambda: ask(__context, __obj, *args, **kwargs)),
        )

    def _alone(self, ask: Callable[[], Any]) -> Any:
        """The answer of a macro whose own calls are not worth keeping beside it."""
        self._within = True
        try:
            return ask()
        finally:
            self._within = False

    def _to_json(self, value: Any, indent: int | None = None, **_: Any) -> str:
        """`tojson` as chat templates expect it: not escaped for HTML, with a space behind commas and colons."""
        return self._kept.get(
            f"json {indent}",
            value,
            lambda: json.dumps(value, ensure_ascii=False, indent=indent, default=list),
        )


@lru_cache(maxsize=_PROGRAMS)
def _program(source: str) -> tuple[frozenset[str], CodeType]:
    """The names of a template's repeatable macros, and what it is in Python: the same in every sandbox."""
    sandbox = Sandbox(KeptTexts())
    return repeatable_macros(sandbox.parse(source)), sandbox.compile(source)


def _attributes(namespace: Namespace) -> dict[str, Any]:
    """What a namespace holds; it looks for this itself twice whenever it is asked for an attribute."""
    return object.__getattribute__(namespace, "_Namespace__attrs")


class _Generation(Extension):
    """`{% generation %}` marks what an assistant wrote, for training: it is told like everything else."""

    tags = {"generation"}  # noqa: RUF012 (Jinja declares it so)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)
