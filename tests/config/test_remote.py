"""Models at URLs: what may be said of their engines, and what does not go together."""

import tomllib
from typing import Any

import pytest

from antiphon.config import ConfigError, RemoteSettings, Settings, parse_settings
from antiphon.config.remote import REMOTE_ID

ENV = {"VLLM_KEY": "secret"}
WHOLE = """
[models.big]
engine = "vllm"
urls = ["http://a:8000", "https://b.lan/engines/"]
tokenizer = "hf:org/big"
key_env = "VLLM_KEY"
headers = { "X-Team" = "blue sky" }
ca_file = "/ca.pem"
proxies = true
silence_timeout = 20
endpoint_parallel = 64
context = 4096
sampling = { temperature = 0.5 }
[models.small]
source = "builtin"
"""


def settings(toml: str = "", env: dict[str, str] | None = None, **flags: Any) -> Settings:
    return parse_settings(flags, ENV if env is None else env, tomllib.loads(toml))


def refusal(toml: str = "", env: dict[str, str] | None = None, **flags: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(toml, env, **flags)
    return str(caught.value)


@pytest.mark.promise("remote.configured")
def test_a_table_says_all_that_there_is_to_say_of_engines():
    parsed = settings(WHOLE, model="big")
    assert parsed.models["big"].remote == RemoteSettings(
        ("http://a:8000", "https://b.lan/engines"),
        "vllm",
        "hf:org/big",
        "VLLM_KEY",
        "secret",
        {"x-team": "blue sky"},
        "/ca.pem",
        proxies=True,
        silence_timeout=20.0,
        endpoint_parallel=64,
    )
    assert (parsed.models["big"].context, parsed.models["big"].sampling.temperature) == (4096, 0.5)
    assert parsed.models["small"].remote is None


@pytest.mark.promise("remote.configured")
def test_one_flag_serves_what_is_at_a_url():
    parsed = settings(urls=("http://gpu:8000",))
    assert parsed.default_model == REMOTE_ID
    assert list(parsed.models) == [REMOTE_ID]
    assert parsed.models[REMOTE_ID].remote == RemoteSettings(("http://gpu:8000",))


def test_variables_may_say_one_url_or_many():
    for name in ("ANTIPHON_URL", "ANTIPHON_URLS"):
        remote = settings(env={name: "http://a, http://b"}).models[REMOTE_ID].remote
        assert remote is not None
        assert remote.urls == ("http://a", "http://b")


def test_the_model_at_the_url_may_be_given_an_id():
    assert settings(urls=("http://gpu:8000",), model="qwen").models["qwen"].remote is not None


def test_a_flag_stands_in_for_the_urls_of_the_only_table():
    toml = '[models.big]\nurl = "http://old"\nkey_env = "VLLM_KEY"\n'
    parsed = settings(toml, urls=("http://new",))
    assert parsed.models["big"].remote == RemoteSettings(("http://new",), key_env="VLLM_KEY", key="secret")


def test_a_flag_adds_to_models_that_run_here():
    parsed = settings('[models.a]\nsource = "a.gguf"\n', urls=("http://new",))
    assert (parsed.default_model, sorted(parsed.models)) == (REMOTE_ID, ["a", REMOTE_ID])


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"urls": ("gpu:8000",)}, "--url: 'gpu:8000' is not a list of addresses such as http://gpu:8000"),
        ({"urls": ("http://me:pass@gpu",)}, "--url: 'http://me:pass@gpu' is not a list of addresses"),
        ({"engine": "vllm"}, "--engine: this is for models at URLs; say where with urls, or --url"),
        (
            {"engine_key_env": "NO_KEY", "urls": ("http://a",)},
            "--engine-key-env: the environment variable NO_KEY is not",
        ),
        ({"urls": ("http://a",), "model": "x.gguf"}, "--model: 'x.gguf' is no id for the model at the URLs of --url"),
        ({"urls": ("http://a",), "threads": "2"}, "--threads: the engine at http://a decides that, not this server"),
        ({"urls": ("http://a",), "engine": "ollama"}, "--engine: 'ollama' is not one of vllm, sglang, llama-server"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_flag_that_is_wrong_is_told_so(flags: dict[str, Any], said: str):
    assert refusal(**flags).startswith(said)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('url = "http://a"\nurls = ["http://b"]', "url: urls is there, too; write one of them"),
        ('url = "http://a"\nsource = "builtin"', "source: the model is at its URLs already"),
        ('url = "http://a"\ngpu_layers = 1', "gpu_layers: the engine at http://a decides that"),
        ("urls = []", "urls: [] is not a list of addresses"),
        ('source = "a.gguf"\ntokenizer = "t"', "tokenizer: this is for models at URLs"),
        ('url = "http://a"\nheaders = { "a b" = "c" }', "headers: 'a b' cannot be sent so"),
        ('url = "http://a"\nheaders = { "x-a" = "c\\n" }', "headers: 'x-a' cannot be sent so"),
        (
            'url = "http://a"\nheaders = { Authorization = "c" }',
            "headers: 'Authorization' is set by the server itself",
        ),
        ('url = "http://a"\nheaders = "x: y"', "headers: the value is not a table of header fields"),
        ("context = 1", "source is missing (allowed: builtin, the path of a .gguf file"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_table_that_is_wrong_is_told_so(lines: str, said: str):
    assert refusal(f"[models.big]\n{lines}").startswith(
        f"antiphon.toml, [models.big]: {said}" if "missing" in said else f"antiphon.toml, [models.big] {said}"
    )


@pytest.mark.promise("remote.keys-are-never-shown")
def test_neither_keys_nor_headers_are_shown_where_settings_are():
    parsed = settings(WHOLE, model="big")
    assert "secret" not in repr(parsed)
    assert "blue" not in repr(parsed)
    assert "se cret" not in refusal(WHOLE, {"VLLM_KEY": "se cret"}, model="big")
