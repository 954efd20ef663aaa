"""Look-ahead at a pattern's beginning is told by patterns without it."""

import itertools

import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.render.grammar.schemas import compilable, lost, problem, relaxed
from antiphon.schema.lookahead import apart
from antiphon.schema.patterns import matches, rewritten
from tests.schema.sampler import Sampler
from tests.schema.test_patterns import TEXTS, python_finds

EXACT = [
    *(
        "^(?=a)",
        "^(?=a).$",
        "^(?=.*b)a",
        "^(?=.*a)(?=.*b)[ab]{2,}$",
        "^(?=a|b)",
        "^(?=.{2}$)[ab]",
        "^(?=.{1,2}$)(?=a)",
    ),
    *("^(?!a)", "^(?!a)b", "^(?!ab)", "^(?!ab)a", "^(?!a$)", "^(?!ab$)", "^(?!a|b)", "^(?!a$|b$)", "^(?!(?:a|b)$)"),
    *("^(?![ab])", "^(?![ab]b)", "^(?![^a])", r"^(?!\.)", "^(?!-)[^/]*$", "^(?!(a|b))"),
    *("^(?!(?:^a$|b))", "^(?!a.*)b?", "^(?!a)(?!b)", "^(?=a)(?!ab)"),
]
NARROWER = [
    "(?=a)",
    "(?!a)b",
    "^(?!.*a)",
    "^(?!.*aa)",
    "^(?!.*ab)",
    r"^(?!.*\.\.)",
    "^(?!.*b$)",
    "^(?!.*ab$)",
    r"^(?!\d)",
]
REFUSED = [
    *(
        "(?<=a)b",
        "a(?=b)",
        "^a(?!b)",
        "^(?=a)|b",
        "^(?=a",
        "^(?=(?=a))b",
        "^(?!a+b)",
        "^(?!.*aab)",
        "^(?!)",
        "^(?=a)*b",
    ),
    *(r"^(?!\ba)", r"^(?!(a)\1)", "^(?!.*[ab]a)", "^(?![^^])"),
]
ALL = [*TEXTS, *map("".join, itertools.product("ab.", repeat=4))]


def found(pattern: str) -> list[str]:
    parts = apart(pattern)
    assert parts is not None
    told = list(map(rewritten, parts))
    return [text for text in ALL if all(matches(part, text) for part in told)]


@pytest.mark.promise("tools.look-ahead")
@pytest.mark.parametrize("pattern", EXACT)
def test_look_ahead_is_told_without_it(pattern: str):
    assert found(pattern) == [text for text in ALL if python_finds(pattern, text)]


@pytest.mark.promise("tools.look-ahead")
@pytest.mark.parametrize("pattern", NARROWER)
def test_where_it_is_told_more_narrowly_nothing_wrong_is_allowed(pattern: str):
    texts = found(pattern)
    assert texts
    assert all(python_finds(pattern, text) for text in texts)


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_cannot_be_told_is_given_up(pattern: str):
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    assert lost(schema) == problem(schema) is not None
    assert compilable(schema) is None


ATOMS = st.sampled_from(["a", "b", "-", r"\.", "[ab]", "[^a]", "."])


@pytest.mark.promise("tools.look-ahead")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["", ".*"]), st.lists(ATOMS, min_size=1, max_size=3), st.sampled_from(["", "$"]))
def test_whatever_is_ruled_out_is_never_allowed(before: str, atoms: list[str], behind: str):
    pattern = f"^(?!{before}{''.join(atoms)}{behind})"
    if apart(pattern) is not None:
        assert all(python_finds(pattern, text) for text in found(pattern))


@pytest.mark.promise("tools.look-ahead")
@pytest.mark.parametrize("pattern", [*EXACT[3:], *NARROWER[1:]])
def test_what_is_written_for_a_tool_that_is_not_strict_fits_the_pattern(pattern: str):
    schema = {"type": "string", "pattern": pattern}
    assert lost(schema) is None
    # The API refuses look-around where it guarantees.
    assert problem(schema) == "pattern: Unsupported regex feature in pattern field: look-around"
    for seed in range(3):
        jsonschema.validate(orjson.loads(Sampler(relaxed(schema)).draw(seed)), schema)
