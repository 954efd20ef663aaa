"""The settings as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Literal

from antiphon.config.network import NetworkSettings
from antiphon.config.tool_settings import ToolSettings

DEFAULT_MODEL = "smollm2-135m-instruct"

LogLevel = Literal["debug", "info", "warning", "error"]
Foreign = Literal["refuse", "drop"]


class ConfigError(Exception):
    """A setting is wrong. The text names it, says where it came from, and what to write instead."""


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """What a request's silence means for this model; None = the API's default (temperature 1, no cut)."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


BUILTIN_SAMPLING = SamplingSettings(temperature=0.2, top_p=0.9)
"""What the built-in model's card recommends. At temperature 1 a model of this size loses the thread."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """One model to serve. `source`: `builtin`, a path to a .gguf file, `hf:org/repo[:file]`, or `script:PATH`.

    `context`: tokens one conversation may hold (0 = what the model was trained on, at most 8192). `parallel`:
    conversations answered at once. `threads`: 0 = one per physical core. `gpu_layers`: -1 = as many as fit.
    `batch`: prompt tokens read in one step (0 = chosen for the device); a step cannot be interrupted.
    `chat_template`: path of a Jinja file to use instead of the model's own template. `family`: the name of the family
    that says how it calls tools and thinks (None: what the template fits). `projector`: what lets it see pictures: a
    path, `hf:org/repo:file`, a file of its own `hf:` repository, or `none` (None: what lies beside a local model).
    `adapter`: what changes the model, the path of a LoRA GGUF, or `none` (None: what ships for the built-in model).
    """

    id: str
    source: str
    context: int = 0
    parallel: int = 4
    threads: int = 0
    gpu_layers: int = -1
    batch: int = 0
    chat_template: str | None = None
    family: str | None = None
    projector: str | None = None
    adapter: str | None = None
    sampling: SamplingSettings = field(default_factory=SamplingSettings)


@dataclass(frozen=True, slots=True)
class ThinkingSettings:
    """How thinking is sealed and read back. `keys` of 32 bytes outrank those in `key_file` (None: in the user's state
    directory). `summarizer`: the id of the served model that sums thinking up. `foreign`: what becomes of thinking
    whose seal does not open."""

    key_file: str | None = None
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    summarizer: str | None = None
    foreign: Foreign = "refuse"


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """How images and PDFs are read: by so many processes at once (`workers`), each with so much `memory`; what was
    read is kept in so much more (`cache`). Both in bytes."""

    workers: int = 2
    memory: int = 1536 * 1024 * 1024
    cache: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How long one reply may work with the server's own tools: `rounds` of calls, `turn_seconds` in all, and
    `tool_seconds` for one run of a tool."""

    rounds: int = 10
    turn_seconds: float = 120.0
    tool_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a server is started with.

    `models` holds every model to serve by id; `default_model` answers for all profiles and aliases that
    `routes` (API model name → model id) does not send elsewhere. `profiles` is the raw `[profiles.*]` and
    `[aliases]` data for the catalogue. Times are in seconds, sizes in bytes.
    """

    host: str = "127.0.0.1"
    port: int = 8484
    api_keys: tuple[str, ...] = ()
    strict_betas: bool = False
    extended_schemas: bool = False
    accommodations: bool = True
    default_model: str = DEFAULT_MODEL
    models: Mapping[str, ModelSettings] = field(
        default_factory=lambda: {DEFAULT_MODEL: ModelSettings(DEFAULT_MODEL, "builtin", sampling=BUILTIN_SAMPLING)}
    )
    routes: Mapping[str, str] = field(default_factory=dict[str, str])
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    thinking: ThinkingSettings = field(default_factory=ThinkingSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    server_tools: TurnLimits = field(default_factory=TurnLimits)
    tools: ToolSettings = field(default_factory=ToolSettings)
    ping_after: float = 10.0
    commit_after: float = 0.5
    ready_timeout: float = 30.0
    drain_timeout: float = 20.0
    keep_alive: float = 75.0
    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    max_body: int = 32 * 1024 * 1024
    log_level: LogLevel = "info"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
