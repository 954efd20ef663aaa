"""A pattern that is searched for, as one that matches whole texts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.tools import Call, Choice, Tool
from antiphon.render.families import FAMILIES
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.patterns import strings, whole_pattern
from antiphon.render.grammar.schemas import problem
from antiphon.render.prompt.calls import write_calls
from tests.render.grammar.test_calls import grammar
from tests.render.walk import accepts

PATTERNS = ["a", "^a", "a$", "^a$", "^a|b$", "a|b", "(a|b)c", "a/b", r"\^a", "[$^|]", "", "^", "$"]


@given(st.sampled_from(PATTERNS), st.text("ab/c^$|\n", max_size=6))
def test_it_matches_exactly_the_texts_in_which_the_pattern_is_found(pattern: str, text: str) -> None:
    # In JSON Schema `$` is the text's end only; Python's also stands before a last line end.
    found = re.search(pattern.replace("$", r"\Z") if pattern != "[$^|]" else pattern, text)
    assert bool(re.fullmatch(whole_pattern(pattern), text)) == bool(found)


def test_a_slash_is_escaped() -> None:
    assert whole_pattern("^a/b$") == r"(?:(?:a\/b))"


def test_the_strings_of_a_way_have_its_lengths_and_all_its_patterns() -> None:
    way = {"minLength": 2, "maxLength": 3, "pattern": "^a", "allOf": [{"pattern": "b$"}]}
    assert strings(way) == "/(?s:.){2,3}/ & /(?:(?:a)(?s:.*))/ & /(?:(?s:.*)(?:b))/"


@pytest.mark.promise("tools.patterns-hold-in-every-family")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "not strict"])
@pytest.mark.parametrize(
    ("bounds", "fine", "wrong"),
    [
        ({"pattern": "(^a|b$)"}, ["axx", "xxb"], ["xax", "bx", ""]),
        ({"pattern": "(^|/)a(/|$)"}, ["a", "x/a", "a/x"], ["ab", "xa"]),
        ({"pattern": "x(a$|b)"}, ["xa", "xbc"], ["xac"]),
        ({"allOf": [{"pattern": "^a"}, {"pattern": "b$"}]}, ["ab", "axb"], ["a", "b", "ba"]),
    ],
    ids=["either end", "a part of a path", "an end within", "two patterns"],
)
def test_a_pattern_holds_in_every_family(
    family: Family, strict: bool, bounds: dict[str, object], fine: list[str], wrong: list[str]
) -> None:
    value = {"type": "string", **bounds}
    schema = {"type": "object", "properties": {"a": value}, "required": ["a"], "additionalProperties": False}
    tool = Tool("find", "", schema, strict=strict)
    made = grammar(Choice("tool", "find"), (tool,), family)

    def written(text: str) -> str:
        return write_calls(family.syntax, [Call("call", "find", {"a": text})], [tool])

    assert problem(schema) is None
    assert [text for text in fine if not accepts(made, written(text))] == []
    assert [text for text in wrong if accepts(made, written(text))] == []
