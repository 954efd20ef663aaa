"""The official JSON Schema Test Suite through the strict path: what is accepted keeps its schema, whole."""

import warnings
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import jsonschema
import orjson
import pytest

from antiphon.render.grammar.schemas import compilable, problem
from tests.schema.sampler import Sampler, allows
from tests.schema.table import spelled

Json = Any

SUITE: Final = Path(__file__).parent / "suite"
HINTS: Final = (b"bar", b".py", b"@a.com", b"a", b"x0x1x2", b"1", b"://")
ACCEPTED: Final = 266
"""Of the suite's schemas that are objects: what is guaranteed. More is better, fewer is a promise broken."""

_Draft: Any = jsonschema.Draft202012Validator


class Case(NamedTuple):
    """One schema of the suite with its instances."""

    name: str
    schema: Json
    tests: list[dict[str, Json]]


def _cases() -> list[Case]:
    files = sorted(SUITE.rglob("*.json"))
    groups = [(file, group) for file in files for group in orjson.loads(file.read_bytes())]
    return [
        Case(f"{file.relative_to(SUITE).with_suffix('')}: {group['description']}", group["schema"], group["tests"])
        for file, group in groups
        if isinstance(group["schema"], dict)
    ]


CASES: Final = _cases()


def _is_valid(schema: Json, value: Json) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return cast("bool", _Draft(schema, format_checker=_Draft.FORMAT_CHECKER).is_valid(value))


@pytest.mark.promise("strict.official-suite")
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_schema_of_the_official_suite_is_kept_whole_or_refused_in_words(case: Case):
    form = compilable(case.schema)
    if form is None:
        assert problem(case.schema)
        return
    for test in case.tests:
        if not test["valid"]:
            assert not allows(form, spelled(test["data"])), test["description"]
    for seed in range(3):
        text = Sampler(form, HINTS).draw(seed)
        assert _is_valid(case.schema, orjson.loads(text)), text


@pytest.mark.promise("strict.official-suite")
def test_most_of_the_official_suite_is_guaranteed():
    accepted = [case for case in CASES if compilable(case.schema) is not None]
    assert len(accepted) == ACCEPTED, f"{len(accepted)} of {len(CASES)}; keep docs/strict-schemas.md in step"
