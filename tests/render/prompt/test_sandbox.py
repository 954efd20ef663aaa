"""Short cuts of the sandbox give what Jinja's own gives, and what is kept is what would be made again."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError as JinjaTemplateError
from jinja2.ext import loopcontrols
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from markupsafe import Markup

from antiphon.render.prompt.kept import KeptTexts
from antiphon.render.prompt.messages import definitions_for_template
from antiphon.render.prompt.sandbox import Sandbox
from tests.render.families.cases import HERE
from tests.render.real_tools import REAL_TOOLS

JINJA: Final = ImmutableSandboxedEnvironment()

OBJECTS: Final[dict[str, Callable[[], object]]] = {
    "dict": lambda: {"role": "user", "items": 1, "pop": 2, "__class__": 3, "_x": 4, "format": "{}"},
    "str": lambda: "a {x}",
    "markup": lambda: Markup("a"),
    "list": lambda: [1, 2],
    "namespace": lambda: Namespace(count=1, items="x", seen={"a": 1}, write="{}".format, _x=1, __class__=2),
    "loop": lambda: next(iter(LoopContext(["a", {"b": 1}], Undefined)))[1],
    "function": lambda: JINJA.from_string,
    "none": lambda: None,
    "number": lambda: 1,
}

NAMES: Final = sorted(
    {name for make in OBJECTS.values() for name in dir(make())} | {"role", "seen", "write", "_x", "no"}
)


def outcome(environment: ImmutableSandboxedEnvironment, make: Callable[[], object], name: str) -> str:
    try:
        value = environment.getattr(make(), name)
        return f"{type(value).__name__} {str(value).partition(' at 0x')[0]}"
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"


@pytest.mark.promise("prompt.sandbox")
@pytest.mark.parametrize("kind", OBJECTS)
def test_attributes_are_what_jinjas_sandbox_says(kind: str) -> None:
    sandbox = Sandbox(KeptTexts())
    make = OBJECTS[kind]
    assert {name: outcome(sandbox, make, name) for name in NAMES} == {
        name: outcome(JINJA, make, name) for name in NAMES
    }


@pytest.mark.promise("prompt.sandbox")
@pytest.mark.parametrize(
    "source",
    [
        "{{ d.pop('a') }}",
        "{{ d.update({}) }}",
        "{{ d.clear() }}",
        "{{ ''.format.__globals__ }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ d.f.format(1) }}",
        "{{ '{x.__class__}'.format_map({'x': 1}) }}",
        "{{ ''['__class__'].__mro__ }}",
        "{% set ns = namespace(f='{0.__class__}'.format) %}{{ ns.f(1).x.y }}",
        "{{ d.__class__.__bases__ }}",
        "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    ],
)
def test_what_jinjas_sandbox_refuses_is_refused(source: str) -> None:
    refused = ("", "SecurityError", "UndefinedError")
    assert told(Sandbox(KeptTexts()), source) == told(JINJA, source)
    assert told(JINJA, source) in refused


def told(environment: ImmutableSandboxedEnvironment, source: str) -> str:
    try:
        return environment.from_string(source).render(d={"a": 1, "f": "{0.__class__}"})
    except JinjaTemplateError as problem:
        return type(problem).__name__


TELL: Final = (
    "{% macro tell(value, deep=false) %}{% if value is mapping %}{% for key, one in value | dictsort %}{{ key }}="
    "{{ tell(one, deep=true) }};{% endfor %}{% elif value is sequence and value is not string %}"
    "{% set ns = namespace(count=0) %}{% for one in value %}{% set ns.count = ns.count + 1 %}{{ tell(one) }},"
    "{% endfor %}{{ ns.count }}{% else %}{{ value | tojson }}{% endif %}{% endmacro %}"
)

MACROS: Final[dict[str, set[str]]] = {
    TELL: {"tell"},
    "{% macro a(x) %}{{ b(x) }}{% endmacro %}{% macro b(x) %}{{ x }}{% endmacro %}{{ a(1) }}": {"a", "b"},
    "{% set c = 'x' %}{% set n = namespace(c=1) %}{% macro a(x) %}{{ x }}{% endmacro %}": {"a"},
    "{% macro a(x) %}{% for y in x %}{% set z = y %}{{ z }}{{ loop.index }}{% endfor %}{% endmacro %}": {"a"},
    "{% macro a(x) %}{% if x %}{% set y = 1 %}{% else %}{% set y = 2 %}{% endif %}{{ y }}{% endmacro %}": {"a"},
    "{% macro a(x) %}{% if x %}{% set y = 1 %}{% endif %}{{ y }}{% endmacro %}": set(),
    "{% macro a(x) %}{% if x %}{% set y = 1 %}{% elif 1 %}{% else %}{% set y = 2 %}{% endif %}{{ y }}{% endmacro %}": set(),
    "{% macro a(x) %}{% for y in x %}{% set z = y %}{% endfor %}{{ z }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ x }}{{ loop.index }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ x }}{{ messages }}{% endmacro %}": set(),
    "{% macro a(x, y=tools) %}{{ x }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ b(x) }}{% endmacro %}{% macro b(x) %}{{ tools }}{% endmacro %}": set(),
    "{% set c = 'x' %}{% macro a(x) %}{{ c }}{% endmacro %}": set(),
    "{% set n = namespace(c=1) %}{% macro a(x) %}{% set n.c = x %}{% endmacro %}": set(),
    "{% macro a(n) %}{% set n.c = 1 %}{{ n.c }}{% endmacro %}": {"a"},
    "{% macro a(x) %}{{ caller() }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ varargs }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ self.b() }}{% endmacro %}{% block b %}{% endblock %}": set(),
    "{% macro a(x) %}{{ x | random }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ x is sameas x }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ lipsum() }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ strftime_now('%d') }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ raise_exception('no') }}{% endmacro %}": {"a"},
    "{% macro a(x) %}{% call b() %}{% endcall %}{% endmacro %}": set(),
    "{% macro a(x) %}{% set y %}{{ tools }}{% endset %}{{ y }}{% endmacro %}": set(),
    "{% if x %}{% macro a(x) %}{{ x }}{% endmacro %}{% endif %}": set(),
    "{{ a(1) }}{% macro a(x) %}{{ x }}{% endmacro %}": set(),
    "{% macro a(x) %}1{% endmacro %}{% macro a(x) %}2{% endmacro %}": set(),
    "{% macro a(x) %}1{% endmacro %}{% set a = 2 %}": set(),
    "{% set namespace = 1 %}{% macro a(x) %}{{ namespace }}{% endmacro %}": set(),
    "{% macro a(x) %}{{ x }}{% endmacro %}{% autoescape true %}{{ a('<') }}{% endautoescape %}": set(),
}


@pytest.mark.parametrize("source", MACROS)
def test_macros_are_kept_only_where_nothing_but_their_arguments_matters(source: str) -> None:
    sandbox = Sandbox(KeptTexts())
    sandbox.compiled(source)
    assert sandbox.repeatable == MACROS[source]


VALUES: Final = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.0, -0.0, "", "1", "a", "true", "é" * 200, "<&>"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_what_is_kept_is_what_would_be_said_again(values: list[Any]) -> None:
    source = TELL + "{% for value in values %}{{ tell(value) }} {{ value | tojson(indent=2) }}\n{% endfor %}"
    warm = Sandbox(KeptTexts()).compiled(source)
    for value in (*values, *values):
        padded = {"a": value, "b": "x" * 300}
        fresh = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        fresh.filters["tojson"] = Sandbox(KeptTexts()).filters["tojson"]
        assert warm.render(values=[padded]) == fresh.from_string(source).render(values=[padded])


def test_the_macros_of_a_template_are_not_asked_twice_for_the_same_tools() -> None:
    template = (HERE / "templates" / "gemma4.jinja").read_text(encoding="utf-8")
    kept = Counting()
    compiled = Sandbox(kept).compiled(template)
    tools = definitions_for_template(REAL_TOOLS[:3])
    prompts = {
        compiled.render(messages=[{"role": "user", "content": text}], tools=tools).replace(text, "")
        for text in ("ONE", "TWO", "THREE")
    }
    assert (len(prompts), kept.made) == (1, 3)


class Counting(KeptTexts):
    """Counts how often a macro had to be asked."""

    made = 0

    def get(self, kind: str, value: Any, make: Callable[[], str]) -> str:
        def counted() -> str:
            self.made += kind.startswith("macro")
            return make()

        return super().get(kind, value, counted)


def test_texts_are_kept_by_what_they_were_made_of_to_the_last_type() -> None:
    kept = KeptTexts()
    pad = "x" * 300
    alike: list[object] = [1, 1.0, True, "1", [1], (1,), {"a": 1, "b": 2}, {"b": 2, "a": 1}, float("nan"), None]
    for _ in range(2):
        assert [kept.get("repr", [pad, one], lambda one=one: repr(one)) for one in alike] == list(map(repr, alike))
    assert kept.get("other", [pad, 1], lambda: "other") == "other"


def test_values_that_are_not_data_are_asked_for_each_time() -> None:
    kept, asked = KeptTexts(), Namespace()
    assert [kept.get("kind", ["x" * 300, asked], lambda n=n: str(n)) for n in range(3)] == ["0", "1", "2"]


def test_what_is_kept_stays_within_its_room_and_the_longest_unused_goes_first() -> None:
    kept = KeptTexts(most=2_000)
    made: list[int] = []

    def ask(number: int) -> None:
        kept.get("kind", [number, "x" * 500], lambda: made.append(number) or "text")

    for number in (1, 2, 3, 1, 4, 1, 2):
        ask(number)
    assert made == [1, 2, 3, 4, 2]
    kept.get("kind", "x" * 5_000, lambda: "larger than the room")
    ask(2)
    assert made == [1, 2, 3, 4, 2]


def test_sandboxes_that_share_a_compiled_template_keep_what_is_said_to_themselves() -> None:
    source = "{% macro said(x) %}{{ x | tojson }}{% endmacro %}{{ said(value) }}"
    asked: list[list[str]] = [[], []]

    class Told(KeptTexts):
        def __init__(self, names: list[str]) -> None:
            super().__init__()
            self._names = names

        def get(self, kind: str, value: Any, make: Callable[[], str]) -> str:
            self._names.append(kind)
            return super().get(kind, value, make)

    one, other = (Sandbox(Told(names)).compiled(source) for names in asked)
    assert (one.render(value=["a" * 999]), asked[1]) == ('["' + "a" * 999 + '"]', [])
    assert other.render(value=[2]) == "[2]"
    assert asked[0] == asked[1] == ["macro said", "json None"]
