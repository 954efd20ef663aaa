"""Models that have a short name: what each stands for, and where it may be said."""

import tomllib

import pytest

from antiphon.config import DEFAULT_MODEL, ConfigError, parse_settings
from antiphon.config.short import SHORT_NAMES, ShortName, known_by, source_of
from antiphon.render.families import FAMILIES
from antiphon.weights.hub import HubReference, is_model

EVERY = pytest.mark.parametrize("known", SHORT_NAMES.values(), ids=SHORT_NAMES.keys())


@pytest.mark.promise("models.short-names")
@EVERY
def test_a_short_name_serves_its_file_under_that_name(known: ShortName):
    settings = parse_settings({"model": known.name}, {}, {})
    assert settings.default_model == known.name
    assert settings.models[known.name].source == known.source


@pytest.mark.promise("models.short-names")
def test_a_table_may_name_its_source_by_a_short_name():
    toml = tomllib.loads('[models.mine]\nsource = "qwen3-8b"\ncontext = 100\n')
    assert parse_settings({}, {}, toml).models["mine"].source == SHORT_NAMES["qwen3-8b"].source


def test_an_owners_own_model_of_that_name_comes_first():
    toml = tomllib.loads('model = "qwen3-8b"\n[models.qwen3-8b]\nsource = "/m/mine.gguf"\n')
    assert parse_settings({}, {}, toml).models["qwen3-8b"].source == "/m/mine.gguf"


def test_a_name_that_is_nearly_one_is_answered_with_it():
    with pytest.raises(ConfigError, match=r"did you mean 'gpt-oss-20b'\?.*antiphon models list"):
        parse_settings({"model": "gpt-oss-20"}, {}, {})


@pytest.mark.promise("models.short-names")
@EVERY
def test_what_is_written_down_of_a_model_can_be(known: ShortName):
    reference = HubReference.parse(known.source.removeprefix("hf:"))
    assert reference.file is not None
    assert is_model(reference.file)
    assert known.family in {family.name for family in FAMILIES}
    assert 0 < known.kv_bytes_per_token < known.size
    assert known.window >= 8192
    assert known.name != DEFAULT_MODEL
    assert known_by(known.source) is known


def test_any_other_source_is_left_as_it_is():
    assert source_of("hf:org/other") == "hf:org/other"
    assert known_by("hf:org/other") is None
