"""Models in engines that somebody else runs: where these are, and how they are reached."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from antiphon.config.kinds import Address, Choice, Kind, ListKind, Number, Pattern, Switch, Text, Whole, shown
from antiphon.config.option import Option
from antiphon.config.reading import ConfigError

EngineName = Literal["vllm", "sglang", "llama-server"]
REMOTE_ID: Final = "remote"
"""The id of the model that `--url` serves where nothing else names it."""

_ENGINES: Final = ("vllm", "sglang", "llama-server")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_FIELD: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_CONTENT: Final = re.compile(r"[!-~]([ -~]*[!-~])?", re.ASCII)
_OURS: Final = frozenset({"authorization", "content-length", "content-type", "host", "connection", "x-session-id"})


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """One model at one URL or at many. `engine`: None = found out there. `tokenizer`: a path or `hf:org/repo`, None
    where the engine needs none. `key` (from the variable `key_env`) and `headers` go to the engine with every
    request. `ca_file`: certificates to trust beside the system's. `proxies`: those of the environment are used.
    `silence_timeout`: seconds for which an engine may say nothing. `endpoint_parallel`: works that an engine is given
    at once, 0 = as many as it says."""

    urls: tuple[str, ...]
    engine: EngineName | None = None
    tokenizer: str | None = None
    key_env: str | None = None
    key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ca_file: str | None = None
    proxies: bool = False
    silence_timeout: float = 300.0
    endpoint_parallel: int = 0


@dataclass(frozen=True, slots=True)
class Addresses(ListKind[str]):
    """A list of base URLs."""

    wanted: str = "a list of addresses such as http://gpu:8000 or https://engines.lan/llama"
    metavar: str = "URL"

    def from_text(self, text: str) -> tuple[str, ...]:
        return self.from_toml([part.strip() for part in text.split(",") if part.strip()])

    def from_toml(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(f"{shown(value)} is not {self.wanted}")
        written: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - a TOML array
        return tuple(dict.fromkeys(map(Address(self.wanted).from_toml, written)))


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields, as a TOML table of texts; an error never quotes a value. Source: RFC 9110 §5."""

    wanted: str = 'a table of header fields such as { "x-team" = "blue" }'
    metavar: str = "TABLE"

    def from_text(self, text: str) -> Any:
        raise ValueError(f"a text is not {self.wanted}")

    def from_toml(self, value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise ValueError(f"the value is not {self.wanted}")
        fields = cast("Mapping[str, Any]", value)
        for name, content in fields.items():
            if not _FIELD.fullmatch(name) or not isinstance(content, str) or not _CONTENT.fullmatch(content):
                raise ValueError(f"{shown(name)} cannot be sent so; the value must be {self.wanted}")
            if name.lower() in _OURS:
                raise ValueError(f"{shown(name)} is set by the server itself; the engine's key is said with key_env")
        return {name.lower(): content for name, content in fields.items()}


_DEFAULTS: Final = RemoteSettings(())


def _remote(name: str, kind: Kind, meaning: str, unset: str = "none") -> Option:
    return Option(name, kind, getattr(_DEFAULTS, name), meaning, flag=None, unset=unset)


_KEY_ENV: Final = Pattern(_VARIABLE, "the name of an environment variable", "NAME")
_KEY_MEANING: Final = "Environment variable that holds the key which the engine asks for."

SHARED_OPTIONS: Final = (
    Option(
        "urls",
        Addresses(),
        (),
        "Where engines run that have the model: vLLM, SGLang or llama-server, all with the same one.",
        "--url",
        of_model=True,
        also="ANTIPHON_URL",
    ),
    Option(
        "engine",
        Choice(_ENGINES),
        None,
        "Which engine is at the URLs.",
        of_model=True,
        unset="found out there",
    ),
    Option(
        "tokenizer",
        Text("a path or hf:org/repo", "SOURCE"),
        None,
        "Where the tokenizer of the model at the URLs comes from: a PATH (of tokenizer.json or its folder) or "
        "hf:org/repo. A llama-server needs none.",
        of_model=True,
    ),
)
"""What may be said of the default model outside its table, too, beside the variable of its key."""

KEY_OPTION: Final = Option("engine_key_env", _KEY_ENV, None, _KEY_MEANING, of_model=True)

REMOTE_OPTIONS: Final = (
    Option("url", Address(), None, "The only URL, instead of a list of one.", flag=None),
    *SHARED_OPTIONS,
    Option("key_env", _KEY_ENV, None, _KEY_MEANING, flag=None),
    _remote("headers", Headers(), "Header fields that go to the engine with every request."),
    _remote(
        "ca_file",
        Text("the path of a file", "PATH"),
        "File with certificates (PEM) of the engines' authorities, beside those that the system trusts.",
    ),
    _remote("proxies", Switch(), "Whether the engines are reached through the proxies that the environment names."),
    _remote(
        "silence_timeout",
        Number(1, 86_400, "SECONDS"),
        "Seconds for which an engine may say nothing, before its reply and in it; more than reading a long prompt "
        "takes where the engine tells nothing of that.",
    ),
    _remote(
        "endpoint_parallel",
        Whole(0, 100_000),
        "Works that one engine is given at once; 0 = as many as it says that it does, without a bound where it does "
        "not say.",
    ),
)
"""What the table of such a model may say of its engines."""

_NAMES: Final = frozenset({option.name for option in REMOTE_OPTIONS} | {KEY_OPTION.name})
_NOT_HERE: Final = ("parallel", "threads", "gpu_layers", "batch", "projector", "adapter")


def split(given: Mapping[str, Any], places: Mapping[str, str], env: Mapping[str, str]) -> dict[str, Any]:
    """A model's values with those of its engines as one, `remote`. ConfigError where they do not go together.

    `places`: where each was said, as errors say it.
    """
    said = {name: value for name, value in given.items() if name in _NAMES}
    rest = {name: value for name, value in given.items() if name not in _NAMES}
    urls = said.pop("urls", ())
    if (url := said.pop("url", None)) is not None:
        if urls:
            raise ConfigError(f"{places['url']}: urls is there, too; write one of them")
        urls = (url,)
    if not urls:
        if said:
            name = next(iter(said))
            raise ConfigError(f"{places[name]}: this is for models at URLs; say where with urls, or --url")
        return rest
    if "source" in rest:
        raise ConfigError(f"{places['source']}: the model is at its URLs already; leave out source, or the URLs")
    for name in _NOT_HERE:
        if name in rest:
            raise ConfigError(f"{places[name]}: the engine at {urls[0]} decides that, not this server; leave it out")
    return {**rest, "source": " ".join(urls), "remote": RemoteSettings(urls, **_with_key(said, places, env))}


def _with_key(said: Mapping[str, Any], places: Mapping[str, str], env: Mapping[str, str]) -> dict[str, Any]:
    values = dict(said)
    for name in ("key_env", KEY_OPTION.name):
        variable = values.pop(name, None)
        if variable is None:
            continue
        key = env.get(variable, "")
        if not key or not all("!" <= char <= "~" for char in key):
            state = "is not set" if not key else "holds no key of visible ASCII characters"
            raise ConfigError(f"{places[name]}: the environment variable {variable} {state}")
        values |= {"key_env": variable, "key": key}
    return values
