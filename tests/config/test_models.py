"""Which models are served, and who answers for which name."""

import tomllib
from typing import Any

import pytest

from antiphon.config import BUILTIN_SAMPLING, DEFAULT_MODEL, ConfigError, SamplingSettings, Settings, parse_settings
from antiphon.config.models import id_of


def settings(toml: str = "", **flags: Any) -> Settings:
    return parse_settings(flags, {}, tomllib.loads(toml))


def refusal(toml: str = "", **flags: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(toml, **flags)
    return str(caught.value)


ONE = '[models.qwen]\nsource = "/m/qwen.gguf"\n'
TWO = ONE + '[models.tiny]\nsource = "hf:org/tiny"\n'


@pytest.mark.promise("config.any-model")
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("builtin", DEFAULT_MODEL),
        ("/m/Qwen2.5-0.5B-Instruct-Q4_K_M.gguf", "qwen2.5-0.5b-instruct-q4_k_m"),
        ("big-00001-of-00003.GGUF", "big"),
        ("C:\\models\\My Model.gguf", "my-model"),
        ("hf:Qwen/Qwen3-0.6B-GGUF", "qwen3-0.6b"),
        ("hf:Qwen/Qwen3-0.6B-GGUF:Qwen3-0.6B-Q8_0.gguf", "qwen3-0.6b-q8_0"),
        ("script:scenes/hello.toml", "hello"),
        ("---.gguf", "model"),
    ],
)
def test_a_source_is_served_under_an_id_made_from_its_name(source: str, name: str):
    assert id_of(source) == name
    parsed = settings(model=source)
    assert (parsed.default_model, parsed.models[name].source) == (name, source)


def test_the_flags_of_a_model_describe_the_default_one():
    parsed = settings(model="a.gguf", context="4096", parallel="2", threads="3", gpu_layers="0", batch="64")
    model = parsed.models["a"]
    assert (model.context, model.parallel, model.threads, model.gpu_layers, model.batch) == (4096, 2, 3, 0, 64)


def test_flags_outrank_a_models_table_and_the_table_the_files_top_level():
    toml = 'threads = 1\nparallel = 7\nmodel = "qwen"\n[models.qwen]\nsource = "q.gguf"\nthreads = 2\ncontext = 9\n'
    model = settings(toml, context="10").models["qwen"]
    assert (model.parallel, model.threads, model.context) == (7, 2, 10)


def test_other_models_keep_to_their_tables():
    parsed = settings(TWO, model="qwen", threads="5")
    assert (parsed.models["qwen"].threads, parsed.models["tiny"].threads) == (5, 0)


@pytest.mark.promise("config.any-model")
def test_one_table_answers_by_default_and_more_need_a_word():
    assert settings(ONE).default_model == "qwen"
    assert settings(ONE).models.keys() == {"qwen"}
    assert "[models] has qwen, tiny; say with" in refusal(TWO)
    assert settings(TWO, model="tiny").default_model == "tiny"
    assert settings('model = "tiny"\n' + TWO).default_model == "tiny"


def test_the_builtin_model_needs_no_table_but_may_have_one():
    parsed = settings(TWO, model=DEFAULT_MODEL)
    assert parsed.models.keys() == {"qwen", "tiny", DEFAULT_MODEL}
    assert settings(f"[models.{DEFAULT_MODEL}]\nthreads = 2").models[DEFAULT_MODEL].source == "builtin"


@pytest.mark.promise("config.builtin-sampling")
def test_the_builtin_model_samples_as_its_card_says_unless_its_table_says_otherwise():
    assert SamplingSettings(temperature=0.2, top_p=0.9, dry=0.8) == BUILTIN_SAMPLING
    assert settings().models[DEFAULT_MODEL].sampling == BUILTIN_SAMPLING
    said = settings(f"[models.{DEFAULT_MODEL}]\nsampling.temperature = 1\nsampling.top_k = 40")
    assert said.models[DEFAULT_MODEL].sampling == SamplingSettings(temperature=1, top_p=0.9, top_k=40, dry=0.8)
    unguarded = settings(f"[models.{DEFAULT_MODEL}]\nsampling.dry = 0")
    assert unguarded.models[DEFAULT_MODEL].sampling == SamplingSettings(temperature=0.2, top_p=0.9, dry=0)
    assert settings(ONE).models["qwen"].sampling == SamplingSettings()


@pytest.mark.promise("config.any-model")
def test_routes_name_served_models():
    toml = f'{ONE}[routes]\nclaude-haiku-4-5 = "{DEFAULT_MODEL}"\nclaude-opus-4-8 = "qwen"\n'
    parsed = settings(toml)
    assert parsed.routes == {"claude-haiku-4-5": (DEFAULT_MODEL,), "claude-opus-4-8": ("qwen",)}
    assert parsed.models[DEFAULT_MODEL].sampling == BUILTIN_SAMPLING
    assert parsed.default_model == "qwen"


def test_the_builtin_model_may_sum_up_beside_another():
    parsed = settings(f'{ONE}[thinking]\nsummarizer = "{DEFAULT_MODEL}"\n')
    assert parsed.thinking.summarizer == DEFAULT_MODEL
    assert parsed.models.keys() == {"qwen", DEFAULT_MODEL}
    assert parsed.models[DEFAULT_MODEL].sampling == BUILTIN_SAMPLING


def test_a_model_may_name_its_family():
    parsed = settings(TWO + 'family = "universal"\n', model="tiny")
    assert (parsed.models["tiny"].family, parsed.models["qwen"].family) == ("universal", None)


def test_aliases_and_profiles_are_handed_on():
    parsed = settings('[aliases]\nhouse = "claude-sonnet-4-6"\n[profiles."own.1"]\nextends = "claude-opus-4-8"\n')
    assert parsed.aliases == {"house": "claude-sonnet-4-6"}
    assert parsed.profiles == {"own.1": {"extends": "claude-opus-4-8"}}


@pytest.mark.promise("config.names-the-wrong-setting")
@pytest.mark.parametrize(
    ("toml", "flags", "parts"),
    [
        pytest.param(ONE, {"model": "qwem"}, ["--model: 'qwem' is not a model", "did you mean 'qwen'?"], id="near"),
        pytest.param("", {"model": "gpt"}, ["--model: 'gpt'", DEFAULT_MODEL, "hf:org/repo"], id="unknown"),
        pytest.param("", {"model": "hf:org"}, ["--model: 'hf:org' is not a source"], id="hub without repository"),
        pytest.param("", {"model": "script:"}, ["'script:' is not a source"], id="script without path"),
        pytest.param(ONE, {"model": "/other/qwen.gguf"}, ["which [models.qwen] gives"], id="id taken"),
        pytest.param("[models.a]\nthreads = 1", {}, ["[models.a]: source is missing"], id="no source"),
        pytest.param("[models.a]\nsource = 'x'", {}, ["[models.a] source: 'x' is not a source"], id="odd source"),
        pytest.param("[models.a]\nsource = ''", {}, ["[models.a] source: ''"], id="blank source"),
        pytest.param("[models.a]\nsorce = 'b.gguf'", {}, ["[models.a]: unknown key 'sorce'; did you mean"], id="key"),
        pytest.param("[models.q.5]\nsource = 'x.gguf'", {}, ['quote it: [models."q.5"]'], id="unquoted dot"),
        pytest.param("[models.'a b']\nsource = 'x.gguf'", {}, ["'a b' cannot be a model id"], id="odd id"),
        pytest.param(ONE + "family = 3", {}, ["[models.qwen] family: 3 is not the name of a family"], id="family"),
        pytest.param("models.a = 1", {}, ["[models.a]: this must be a table"], id="value for a table"),
        pytest.param(ONE + "threads = -1", {}, ["antiphon.toml, [models.qwen] threads: -1"], id="value out of range"),
        pytest.param(ONE + "sampling = 1", {}, ["[models.qwen.sampling]: this must be a table"], id="odd sampling"),
        pytest.param(
            ONE + "sampling.top_p = 2",
            {},
            ["[models.qwen.sampling] top_p: 2 is not a number from 0 to 1"],
            id="top_p",
        ),
        pytest.param(
            ONE + "sampling.temp = 1", {}, ["[models.qwen.sampling]: unknown key 'temp'"], id="sampling key"
        ),
        pytest.param(ONE + "[routes]\nx = 'qwem'", {}, ["[routes] x: 'qwem'", "did you mean 'qwen'?"], id="route"),
    ],
)
def test_a_wrong_model_is_named_with_its_place_and_what_is_allowed(
    toml: str, flags: dict[str, str], parts: list[str]
):
    text = refusal(toml, **flags)
    assert [part for part in parts if part not in text] == [], text
