"""What decoding lets through satisfies the client's schema: the decoder's own masks, dice, and a validator."""

import warnings
from typing import Any, cast

import jsonschema
import orjson
import pytest

from antiphon.render.grammar.schemas import compilable, problem, relaxed
from tests.schema.cases import KEYWORDS, NARROWER, REFUSED, Keyword, placed
from tests.schema.real import REAL
from tests.schema.sampler import Sampler, allows
from tests.schema.table import spelled, table, written

Json = Any

_Draft: Any = jsonschema.Draft202012Validator


def _ids(case: Keyword) -> str:
    return f"{case.name}-{KEYWORDS.index(case)}"


ACCEPTED = [case for case in KEYWORDS if case.becomes != REFUSED]


def is_valid(schema: Json, value: Json) -> bool:
    with warnings.catch_warnings():
        # Python's regular expressions warn of brackets that ECMA-262 reads plainly.
        warnings.simplefilter("ignore", FutureWarning)
        return cast("bool", _Draft(schema, format_checker=_Draft.FORMAT_CHECKER).is_valid(value))


def assert_only_valid_texts(schema: Json, form: Json, seeds: range) -> None:
    sampler = Sampler(form)
    for seed in seeds:
        text = sampler.draw(seed)
        assert is_valid(schema, orjson.loads(text)), text


@pytest.mark.promise("strict.what-is-written-satisfies-the-schema")
@pytest.mark.parametrize("case", ACCEPTED, ids=_ids)
def test_whatever_is_written_satisfies_the_schema_wherever_it_stands(case: Keyword):
    for place, schema in placed(case.schema):
        form = compilable(schema)
        assert form is not None, (place, problem(schema))
        assert_only_valid_texts(schema, form, range(3))


@pytest.mark.promise("strict.what-is-written-satisfies-the-schema")
@pytest.mark.parametrize("case", ACCEPTED, ids=_ids)
def test_values_that_fit_can_be_written_and_others_cannot(case: Keyword):
    form = compilable(case.schema)
    for value in case.fits:
        assert _Draft(case.schema).is_valid(value), value
        assert allows(form, spelled(value)), value
    for value in case.fails:
        assert not allows(form, spelled(value)), value
    for value in case.narrowed:
        assert _Draft(case.schema).is_valid(value), value
        assert not allows(form, spelled(value)), value
    assert bool(case.narrowed) <= (case.becomes == NARROWER)


@pytest.mark.promise("strict.what-cannot-be-guaranteed-is-refused")
@pytest.mark.parametrize("case", [case for case in KEYWORDS if case.becomes == REFUSED], ids=_ids)
def test_what_cannot_be_guaranteed_is_refused_in_words_and_relaxed_without_it(case: Keyword):
    assert compilable(case.schema) is None
    assert problem(case.schema)
    for _, schema in placed(case.schema):
        text = Sampler(relaxed(schema)).draw(0)
        assert orjson.loads(text) is not ...


@pytest.mark.promise("strict.schemas-of-real-clients")
@pytest.mark.parametrize("name", REAL)
def test_the_schemas_that_real_clients_send_are_guaranteed(name: str):
    schema = REAL[name]
    assert problem(schema) is None
    assert_only_valid_texts(schema, compilable(schema), range(20))
    assert_only_valid_texts(schema, relaxed(schema), range(5))


def test_a_key_spelled_with_escapes_cannot_slip_past_the_named_ones():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "string"}}
    form = compilable(schema)
    assert allows(form, '{"a": 1, "b": "x"}')
    assert not allows(form, '{"a": 1, "\\u0061": "x"}')


def test_the_decoders_own_options_cannot_be_set_by_a_client():
    schema = {"type": "object", "properties": {"a": {"type": "null"}}, "x-guidance": {"lenient": True}}
    form = compilable(schema)
    assert form is not None
    assert "lenient" not in form["x-guidance"]


@pytest.mark.promise("strict.required-before-optional")
def test_required_properties_are_written_before_optional_ones_in_the_clients_order():
    properties = {name: {"type": "null"} for name in ("o1", "r1", "o2", "r2")}
    schema = {"type": "object", "properties": properties, "required": ["r2", "r1"]}
    assert allows(compilable(schema), '{"r1": null, "r2": null, "o1": null, "o2": null}')
    assert not allows(compilable(schema), '{"r2": null, "r1": null}')
    assert allows(relaxed(schema), '{"o1": null, "r1": null, "o2": null, "r2": null}')


def test_the_documentation_has_the_table_of_these_cases():
    assert written() == table(), "python -m tests.schema.table"
