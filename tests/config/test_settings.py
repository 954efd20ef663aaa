"""Flags, environment and TOML to settings: precedence, and what a wrong value is told."""

import tomllib
from typing import Any

import pytest

from antiphon.config import DEFAULT_MODEL, OPTIONS, TABLES, ConfigError, Option, Settings, parse_settings

# Three spellings of each option, all different and none the default: for the flag, the variable and the file.
SPELLINGS: dict[str, tuple[str, str, str]] = {
    "host": ("127.0.0.2", "127.0.0.3", '"127.0.0.4"'),
    "port": ("1", "2", "3"),
    "workers": ("2", "3", "4"),
    "api_keys": ("flag", "env", '["file"]'),
    "require_keys": ("true", "false", "true"),
    "metrics_keys": ("", "env", '["file"]'),
    "strict_betas": ("true", "false", "true"),
    "extended_schemas": ("true", "false", "true"),
    "accommodations": ("false", "true", "false"),
    "console": ("false", "true", "false"),
    "guard_model": ("smollm2-135m-instruct", "smollm2-135m-instruct", '"smollm2-135m-instruct"'),
    "guard_policy": ("No riddles.", "No poems.", '"No songs."'),
    "guard_category": ("none", "bio", '"cyber"'),
    "guard_failure": ("refuse", "allow", '"refuse"'),
    "guard_models": ("flag", "env,env-*", '["file"]'),
    "fallbacks_allowed": ("flag", "env,env-*", '["file"]'),
    "fallbacks_default": ("flag", "env,other", '["file"]'),
    "ping_after": ("1", "2.5", "3"),
    "commit_after": ("1", "2.5", "3"),
    "ready_timeout": ("1", "2.5", "3"),
    "drain_timeout": ("1", "2.5", "3"),
    "keep_alive": ("1", "2.5", "3"),
    "cors_origins": ("https://flag.example", "https://env.example,null", '["https://file.example"]'),
    "allowed_hosts": ("flag.example", "env.example,*", '["file.example"]'),
    "trusted_proxies": ("10.0.0.1", "10.1.0.0/16,fd00::/8", '["10.2.0.0/16"]'),
    "max_body": ("2048", "2049", "2050"),
    "log_level": ("debug", "warning", '"error"'),
    "log_format": ("json", "text", '"json"'),
    "context": ("1", "2", "3"),
    "parallel": ("1", "2", "3"),
    "threads": ("1", "2", "3"),
    "gpu_layers": ("1", "2", "3"),
    "batch": ("1", "2", "3"),
    "projector": ("flag.gguf", "env.gguf", '"file.gguf"'),
    "adapter": ("flag.gguf", "off", '"file.gguf"'),
    "merge_adapter": ("true", "false", "true"),
    "images": ("refuse", "read", '"refuse"'),
    "urls": ("http://flag:1,http://flag:2", "http://env:1", '["http://file:1/llama"]'),
    "engine": ("vllm", "sglang", '"llama-server"'),
    "tokenizer": ("hf:org/flag", "hf:org/env", '"file.json"'),
    "engine_key_env": ("KEY_OF_FLAG", "KEY_OF_ENV", '"KEY_OF_FILE"'),
    "model": ("a.gguf", "b.gguf", '"c.gguf"'),
    "tls_cert": ("/flag.pem", "/env.pem", '"/file.pem"'),
    "tls_key": ("/flag.key", "/env.key", '"/file.key"'),
    "thinking_key_file": ("/flag.key", "/env.key", '"/file.key"'),
    "thinking_keys": ("", "E" * 43, f'["{"F" * 42}A="]'),
    "thinking_summarizer": (DEFAULT_MODEL, "env", '"file"'),
    "thinking_foreign": ("drop", "refuse", '"drop"'),
    "message_threads_store": ("", "redis://:secret@env.lan/1", '"off"'),
    "message_threads_lifetime": ("1", "2.5", "3"),
    "message_threads_memory": ("0", "1", "2"),
    "batches_concurrency": ("0", "1", "2"),
    "batches_lease": ("1", "2.5", "3"),
    "usage_days": ("30", "40", "50"),
    "prices_web_search": ("1.5", "2.5", "3.5"),
    "limits_store": ("", "redis://:secret@env.lan/1", '"valkey://file.lan"'),
    "stores_data": ("/flag", "/env", '"/file"'),
    "stores_database": ("", "postgresql://:secret@db.lan/env", '"sqlite:////file/a.db"'),
    "stores_objects": ("s3://flag", "gs://env/prefix", '"file:///file"'),
    "stores_connections": ("2", "3", "4"),
    "prompt_cache_keep": ("false", "no", "false"),
    "prompt_cache_memory": ("0", "1", "2"),
    "prompt_cache_files": ("0", "1", "2"),
    "prompt_cache_directory": ("/flag", "/env", '"/toml"'),
    "network_allow_hosts": ("flag.lan", "env.lan,http://env.lan", '["file.lan:8443"]'),
    "network_ca_file": ("/flag.pem", "/env.pem", '"/file.pem"'),
    "network_timeout": ("1", "2.5", "3"),
    "media_workers": ("1", "3", "4"),
    "media_memory": ("268435456", "268435457", "268435458"),
    "media_cache": ("0", "1", "2"),
    "sandbox_driver": ("none", "podman", '"docker"'),
    "sandbox_memory": ("100000000", "200000000", "300000000"),
    "sandbox_processes": ("8", "9", "10"),
    "sandbox_disk": ("2000000", "3000000", "4000000"),
    "sandbox_files": ("16", "17", "18"),
    "sandbox_file_size": ("4096", "4097", "4098"),
    "sandbox_python": ("/flag", "/env", '"/file"'),
    "sandbox_image": ("flag", "env", '"file"'),
    "sandbox_lifetime": ("60", "90.5", "120"),
    "sandbox_restorable": ("0", "90.5", "120"),
    "sandbox_archive": ("4096", "4097", "4098"),
    "files_quota": ("0", "1", "2"),
    "skills_folders": ("/flag,/other", "/env", '["/file"]'),
    "skills_quota": ("0", "1", "2"),
    "server_tools_rounds": ("1", "2", "3"),
    "server_tools_turn_seconds": ("1", "2.5", "3"),
    "server_tools_tool_seconds": ("0.5", "2", "3"),
    "server_tools_defaults": ("false", "true", "false"),
    "mcp_enabled": ("false", "true", "false"),
    "mcp_connect_timeout": ("1", "2.5", "3"),
    "mcp_timeout": ("1", "2.5", "3"),
    "mcp_max_tools": ("1", "2", "3"),
    "mcp_max_bytes": ("2048", "2049", "2050"),
    "mcp_cache": ("0", "1", "2"),
    "mcp_cache_seconds": ("0", "1", "2"),
    "otel_endpoint": ("http://flag:4318", "http://env:4318", '"https://file.lan/otlp"'),
    "otel_service_name": ("flag", "env", '"file"'),
    "otel_content": ("true", "false", "true"),
}
FIELDS = {
    option.name: table.name if option.key in table.within else table.field
    for table in TABLES
    for option in table.options
}
AT_URLS = {"urls": "urls", "engine": "engine", "tokenizer": "tokenizer", "engine_key_env": "key_env"}
"""What is said of engines at URLs, by the field that holds it."""
KEYS = {f"KEY_OF_{place}": "k" for place in ("FLAG", "ENV", "FILE")}
# The models that the spellings name; the first answers by default.
NAMED = f'''
model = "{DEFAULT_MODEL}"
[models.{DEFAULT_MODEL}]
source = "builtin"
[models.env]
source = "env.gguf"
[models.file]
source = "file.gguf"
'''


def settings(flags: dict[str, Any] | None = None, env: dict[str, str] | None = None, toml: str = "") -> Settings:
    return parse_settings(flags or {}, env or {}, tomllib.loads(toml))


def refusal(flags: dict[str, Any] | None = None, env: dict[str, str] | None = None, toml: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        settings(flags, env, toml)
    return str(caught.value)


def value(parsed: Settings, option: Option) -> Any:
    """What the settings hold for an option."""
    default = parsed.models[parsed.default_model]
    if option.name == "model":
        return default.source
    if option.name in AT_URLS:
        return getattr(default.remote, AT_URLS[option.name])
    if option.table:
        return getattr(getattr(parsed, FIELDS[option.name]), option.key)
    return getattr(default if option.of_model else parsed, option.name)


def in_file(option: Option, value: str) -> str:
    """The TOML that sets an option."""
    return f"[{option.table}]\n{option.key} = {value}\n" if option.table else f"{option.key} = {value}\n"


def test_every_option_has_its_three_spellings_here():
    assert SPELLINGS.keys() == {option.name for option in OPTIONS}


def test_nothing_given_is_the_default():
    assert settings() == Settings()


@pytest.mark.promise("config.precedence")
@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_flag_wins_over_the_variable_and_the_variable_over_the_file(option: Option):
    flag, variable, file = SPELLINGS[option.name]
    toml = (NAMED if option.name == "thinking_summarizer" else "") + in_file(option, file)
    if option.name in AT_URLS and option.name != "urls":
        toml += 'urls = ["http://engine"]'
    if option.name == "tls_key":
        toml += 'cert = "/file.pem"'
    by_file = value(settings(env=KEYS, toml=toml), option)
    by_variable = value(settings(env={option.env: variable, **KEYS}, toml=toml), option)
    read = option.kind.from_text
    assert by_variable == read(variable)
    assert by_file == option.kind.from_toml(tomllib.loads(f"value = {file}")["value"])
    if option.flag:
        assert value(settings({option.name: flag}, {option.env: variable, **KEYS}, toml), option) == read(flag)


@pytest.mark.promise("config.secrets-stay-off-the-command-line")
def test_the_keys_of_thinking_have_no_flag():
    assert [option.name for option in OPTIONS if option.flag is None] == [
        "metrics_keys",
        "thinking_keys",
        "message_threads_store",
        "stores_database",
        "limits_store",
    ]
    assert refusal({"thinking_keys": ("E" * 43,)}) == "unknown flags: thinking_keys"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_empty_variable_says_nothing(option: Option):
    assert settings(env={option.env: ""}) == Settings()


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "on"])
def test_a_switch_is_turned_on_by_the_usual_words(text: str):
    assert settings(env={"ANTIPHON_STRICT_BETAS": text}).strict_betas


@pytest.mark.parametrize("text", ["false", "FALSE", "0", "no", "off"])
def test_a_switch_is_turned_off_by_the_usual_words(text: str):
    assert not settings(env={"ANTIPHON_STRICT_BETAS": text}, toml="strict_betas = true").strict_betas


def test_keys_are_separated_by_commas_and_counted_once():
    assert settings(env={"ANTIPHON_API_KEYS": " one , two,,one"}).api_keys == ("one", "two")
    assert settings({"api_keys": ("one", "two")}).api_keys == ("one", "two")


@pytest.mark.promise("config.names-the-wrong-setting")
@pytest.mark.parametrize(
    ("flags", "env", "toml", "parts"),
    [
        pytest.param({"port": "70000"}, {}, "", ["--port: '70000'", "from 0 to 65535"], id="flag out of range"),
        pytest.param({"port": "x"}, {}, "", ["--port: 'x' is not a whole number"], id="flag of another kind"),
        pytest.param({}, {"ANTIPHON_PORT": "x"}, "", ["ANTIPHON_PORT: 'x'"], id="variable of another kind"),
        pytest.param({}, {"ANTIPHON_PORT": "tcp://10.0.0.1:80"}, "", ["enableServiceLinks"], id="service link"),
        pytest.param({}, {}, "port = '80'", ["antiphon.toml, port: '80' is not a whole"], id="text for a number"),
        pytest.param({}, {}, "port = true", ["antiphon.toml, port: true is not a whole"], id="switch for a number"),
        pytest.param({}, {}, "ping_after = nan", ["antiphon.toml, ping_after: nan"], id="not a number"),
        pytest.param({}, {}, "ping_after = 0", ["0 is not a number from 0.1 to 3600"], id="number out of range"),
        pytest.param({}, {}, "strict_betas = 1", ["1 is not true or false"], id="number for a switch"),
        pytest.param({}, {"ANTIPHON_STRICT_BETAS": "maybe"}, "", ["'maybe' is not true or false"], id="odd switch"),
        pytest.param({"log_level": "loud"}, {}, "", ["'loud' is not one of debug, info"], id="odd choice"),
        pytest.param({"host": "http://x"}, {}, "", ["--host", "without scheme"], id="host with a scheme"),
        pytest.param({"host": "x:80"}, {}, "", ["--host", "without scheme"], id="host with a port"),
        pytest.param({}, {}, "[tls]\nkey = 'a'", ["antiphon.toml, [tls] key", "set tls_cert"], id="key alone"),
        pytest.param({}, {}, "prot = 1", ["antiphon.toml: unknown key 'prot'", "did you mean 'port'?"], id="key"),
        pytest.param({}, {}, "[model]\nx = 1", ["antiphon.toml, model", "is not a model id or source"], id="table"),
        pytest.param(
            {}, {"ANTIPHON_HSOT": "x"}, "", ["ANTIPHON_HSOT", "did you mean 'ANTIPHON_HOST'"], id="variable"
        ),
        pytest.param({}, {"ANTIPHON_APIKEYS": "x"}, "", ["did you mean 'ANTIPHON_API_KEYS'"], id="variable of keys"),
        pytest.param({}, {}, "routes = 1", ["antiphon.toml, [routes]: this must be a table"], id="value for a table"),
        pytest.param({}, {}, "[aliases]\nx = 1", ["antiphon.toml, [aliases] x", "name of a profile"], id="odd alias"),
        pytest.param({}, {}, "[aliases]\na.b = 'c'", ["goes in quotes"], id="alias with an unquoted dot"),
        pytest.param({}, {}, "[profiles]\nx = 1", ["antiphon.toml, [profiles] x: this must be"], id="odd profile"),
        pytest.param({"prot": "1"}, {}, "", ["unknown flags: prot"], id="flag that no command line gives"),
        pytest.param(
            {}, {}, "thinking = 1", ["antiphon.toml, [thinking]: this must be a table"], id="value, thinking"
        ),
        pytest.param(
            {},
            {},
            "[thinking]\nkeyfile = 'x'",
            ["antiphon.toml, [thinking]: unknown key 'keyfile'", "did you mean 'key_file'?", "summarizer, foreign"],
            id="key of thinking",
        ),
        pytest.param(
            {},
            {},
            "[thinking]\nforeign = 'keep'",
            ["[thinking] foreign: 'keep' is not one of refuse, drop"],
            id="foreign",
        ),
        pytest.param(
            {"thinking_foreign": "x"},
            {},
            "",
            ["--thinking-foreign: 'x' is not one of refuse, drop"],
            id="foreign flag",
        ),
        pytest.param({}, {}, "[thinking]\nkey_file = ''", ["[thinking] key_file: '' is not the path"], id="key file"),
        pytest.param(
            {},
            {},
            "[models.qwen]\nsource = 'q.gguf'\n[thinking]\nsummarizer = 'qwem'",
            [
                "antiphon.toml, [thinking] summarizer: 'qwem' is not a served model; did you mean 'qwen'?",
                DEFAULT_MODEL,
            ],
            id="summarizer",
        ),
        pytest.param(
            {},
            {"ANTIPHON_THINKING_SUMMARIZER": "x"},
            "",
            ["ANTIPHON_THINKING_SUMMARIZER: 'x' is not a served model"],
            id="summarizer in a variable",
        ),
        pytest.param(
            {},
            {"ANTIPHON_THINKING_KEY": "x"},
            "",
            ["did you mean 'ANTIPHON_THINKING_KEY"],
            id="variable of thinking's keys",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_place_and_what_is_allowed(
    flags: dict[str, Any], env: dict[str, str], toml: str, parts: list[str]
):
    text = refusal(flags, env, toml)
    assert [part for part in parts if part not in text] == [], text


def test_errors_call_the_file_by_its_path():
    with pytest.raises(ConfigError, match=r"^conf/my\.toml, port: "):
        parse_settings({}, {}, {"port": -1}, toml_path="conf/my.toml")


def test_variables_that_a_container_platform_sets_for_a_service_are_ignored():
    env = {"ANTIPHON_SERVICE_HOST": "10.0.0.1", "ANTIPHON_PORT_8484_TCP": "tcp://10.0.0.1:8484", "PATH": "/bin"}
    assert settings(env=env) == Settings()


@pytest.mark.promise("config.secrets-stay-out-of-errors")
@pytest.mark.parametrize(
    ("env", "toml"),
    [
        pytest.param({"ANTIPHON_API_KEYS": "good,hush hush"}, "", id="blank in a variable"),
        pytest.param({"ANTIPHON_API_KEYS": "hushé"}, "", id="letter that no header carries"),
        pytest.param({}, 'api_keys = ["hush hush"]', id="blank in the file"),
        pytest.param({}, 'api_keys = "hush"', id="text for a list"),
        pytest.param({}, 'api_keys = ["hush,hush"]', id="comma in a key"),
        pytest.param({}, 'api_keys = [""]', id="empty key"),
    ],
)
def test_an_error_about_a_key_does_not_quote_it(env: dict[str, str], toml: str):
    text = refusal(env=env, toml=toml)
    assert "visible ASCII" in text
    assert "hush" not in text


@pytest.mark.promise("auth.other-machines-need-a-key")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "my-host.local", "127.example.com"])
def test_an_address_that_others_reach_needs_a_key(host: str):
    text = refusal({"host": host})
    assert text.startswith(f"--host: {host} lets other machines reach the server")
    assert "ANTIPHON_API_KEYS" in text
    assert settings({"host": host, "api_keys": ("k",)}).host == host
    assert settings({"host": host, "require_keys": "true"}).require_keys


def test_keys_that_can_be_neither_set_nor_made_are_not_required():
    text = refusal({"require_keys": "true", "stores_data": "off"})
    assert text.startswith("--require-keys: no API key is set, and none can be made")
    assert settings({"require_keys": "true", "stores_data": "off", "api_keys": ("k",)}).require_keys


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "::1", "[::1]"])
def test_loopback_needs_none(host: str):
    assert settings({"host": host}).is_loopback


def test_a_long_value_is_cut_in_the_error():
    assert len(refusal({"port": "9" * 500})) < 150


@pytest.mark.promise("config.precedence")
def test_one_key_may_be_set_as_a_key_and_several_as_keys():
    assert settings(env={"ANTIPHON_API_KEY": "one"}).api_keys == ("one",)
    assert settings(env={"ANTIPHON_API_KEY": "one", "ANTIPHON_API_KEYS": "two,three"}).api_keys == (
        "two",
        "three",
        "one",
    )
    assert settings(env={"ANTIPHON_API_KEY": "one"}, toml='api_keys = ["file"]').api_keys == ("one",)
    assert settings({"api_keys": ("flag",)}, {"ANTIPHON_API_KEY": "one"}).api_keys == ("flag",)


@pytest.mark.promise("config.secrets-stay-out-of-errors")
def test_a_wrong_key_is_named_with_each_variable_that_may_have_brought_it():
    error = refusal(env={"ANTIPHON_API_KEY": "hu sh", "ANTIPHON_API_KEYS": "fine"})
    assert error.startswith("ANTIPHON_API_KEYS and ANTIPHON_API_KEY: key number 2 is wrong")
    assert "hu sh" not in error
