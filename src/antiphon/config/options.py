"""The one table of options. Flags, environment variables, TOML keys, defaults, the help text and
docs/configuration.md are all made from it, so that they cannot differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from antiphon.config.keys import NEW_KEY, SealingKeys
from antiphon.config.kinds import Choice, Host, Keys, Kind, Number, Switch, Text, TextOrNone, Whole
from antiphon.config.network import AllowedHosts, NetworkSettings
from antiphon.config.settings import (
    DEFAULT_MODEL,
    MediaSettings,
    ModelSettings,
    Settings,
    ThinkingSettings,
    TurnLimits,
)
from antiphon.config.visitors import HostNames, Origins

ENV_PREFIX = "ANTIPHON_"
CONFIG_ENV = "ANTIPHON_CONFIG"
CONFIG_FILE = "antiphon.toml"


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `flag`: by default made from the name; None = no command line may say it, where every process could
    read it. `of_model`: it describes the default model, not the server. `table`: the TOML table that holds it, whose
    name the option's begins with. `unset`: what a default of None comes to. `also`: a second variable
    that people try, for options that are lists: what either names counts."""

    name: str
    kind: Kind
    default: Any
    meaning: str
    flag: str | None = field(default="")
    of_model: bool = False
    table: str = ""
    unset: str = "none"
    also: str = ""

    def __post_init__(self) -> None:
        if self.flag == "":
            object.__setattr__(self, "flag", "--" + self.name.replace("_", "-"))

    @property
    def off_flag(self) -> str | None:
        """The flag that asks for nothing, where silence would ask for something."""
        off = isinstance(self.kind, TextOrNone) and self.flag
        return "--no-" + self.flag.removeprefix("--") if off and self.flag else None

    @property
    def env(self) -> str:
        """The variable that sets this option."""
        return ENV_PREFIX + self.name.upper()

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that sets this option."""
        return (self.env, self.also) if self.also else (self.env,)

    @property
    def key(self) -> str:
        """The TOML key that sets this option, in its table."""
        return self.name.removeprefix(f"{self.table}_") if self.table else self.name

    def place_in(self, file: str) -> str:
        """Where a TOML file sets this option, as errors say it."""
        return f"{file}, [{self.table}] {self.key}" if self.table else f"{file}, {self.key}"


def _server(name: str, kind: Kind, meaning: str, flag: str = "", also: str = "") -> Option:
    return Option(name, kind, _SERVER_DEFAULTS[name], meaning, flag, also=also)


def _model(name: str, kind: Kind, meaning: str, unset: str = "none") -> Option:
    return Option(name, kind, _MODEL_DEFAULTS[name], meaning, of_model=True, unset=unset)


def _thinking(key: str, kind: Kind, meaning: str, *, flag: str | None = "", unset: str = "none") -> Option:
    default = getattr(ThinkingSettings(), key)
    return Option(f"thinking_{key}", kind, default, meaning, flag, table="thinking", unset=unset)


def _network(key: str, kind: Kind, meaning: str, unset: str = "none") -> Option:
    return Option(f"network_{key}", kind, getattr(NetworkSettings(), key), meaning, table="network", unset=unset)


def _media(key: str, kind: Kind, meaning: str) -> Option:
    return Option(f"media_{key}", kind, getattr(MediaSettings(), key), meaning, table="media")


def _turn(key: str, kind: Kind, meaning: str) -> Option:
    return Option(f"server_tools_{key}", kind, getattr(TurnLimits(), key), meaning, table="server_tools")


_SERVER_DEFAULTS: Mapping[str, Any] = {f.name: getattr(Settings(), f.name) for f in fields(Settings)}
_MODEL_DEFAULTS: Mapping[str, Any] = {f.name: getattr(ModelSettings("", ""), f.name) for f in fields(ModelSettings)}

_CONTEXT = _model(
    "context",
    Whole(0, 16_777_216, "TOKENS"),
    "Tokens one conversation may hold, prompt and reply together; 0 = what the model was trained on, at most 8192.",
)
_PARALLEL = _model("parallel", Whole(1, 256), "Conversations answered at the same time; the rest wait their turn.")
_THREADS = _model("threads", Whole(0, 1024), "CPU threads of the engine; 0 = one per physical core.")
_GPU_LAYERS = _model("gpu_layers", Whole(-1, 10_000), "Model layers kept on the GPU; -1 = as many as fit, 0 = none.")
_BATCH = _model(
    "batch",
    Whole(0, 1_048_576, "TOKENS"),
    "Prompt tokens read in one step; 0 = chosen for the device. A step cannot be interrupted.",
)
_PROJECTOR = _model(
    "projector",
    Text("the path of a projector", "PATH"),
    "Projector (mmproj file) that lets the model see pictures: a PATH.gguf, hf:org/repo:file, a file of the model's "
    "own hf: repository, or none.",
    unset="an mmproj*.gguf beside a local model that is alone in its directory",
)
_ADAPTER = _model(
    "adapter",
    TextOrNone("the path of an adapter, or none", "PATH"),
    "Adapter (a LoRA in a .gguf file) that changes the model, or none.",
    unset="the one that ships with the built-in model",
)

OPTIONS: tuple[Option, ...] = (
    _server("host", Host(), "Address to listen on. Any other than loopback needs an API key."),
    _server("port", Whole(0, 65_535, "PORT"), "Port to listen on; 0 = any free one."),
    _server(
        "api_keys",
        Keys(),
        "Keys that clients must send, comma separated. None: every key is accepted, on loopback only.",
        "--api-key",
        also=f"{ENV_PREFIX}API_KEY",
    ),
    Option(
        "model",
        Text("a model id or source", "MODEL"),
        DEFAULT_MODEL,
        "The model that answers by default: an id from [models], the built-in "
        f"{DEFAULT_MODEL}, a PATH.gguf, hf:org/repo[:file] or script:PATH.",
    ),
    _CONTEXT,
    _PARALLEL,
    _THREADS,
    _GPU_LAYERS,
    _BATCH,
    _PROJECTOR,
    _ADAPTER,
    _server(
        "strict_betas", Switch(), "Refuse unknown anthropic-beta values as the API does, instead of ignoring them."
    ),
    _server(
        "extended_schemas",
        Switch(),
        "Under the API's model names, take every strict schema and output format that can be guaranteed, not "
        "only the API's subset.",
    ),
    _server(
        "accommodations",
        Switch(),
        "Accept from known clients what they cannot do better (docs/compatibility.md lists it), beside what the API "
        "accepts.",
    ),
    _server("ping_after", Number(0.1, 3600, "SECONDS"), "Seconds of silence in a stream before a ping event."),
    _server(
        "commit_after",
        Number(0, 3600, "SECONDS"),
        "Seconds a stream waits for its first event before it sends the status line; "
        "failures until then keep their true status.",
    ),
    _server(
        "ready_timeout",
        Number(0, 3600, "SECONDS"),
        "Seconds a request waits for an engine that is starting or restarting.",
    ),
    _server("drain_timeout", Number(0, 3600, "SECONDS"), "Seconds that open requests get to finish at a stop."),
    _server(
        "keep_alive",
        Number(1, 86_400, "SECONDS"),
        "Seconds that an idle connection is kept for its client's next request; more than the pools of clients do.",
    ),
    _server(
        "cors_origins",
        Origins(),
        "Origins of pages in browsers that may call the server, beside those of this machine, comma separated; "
        "* = every one. The pages send `anthropic-dangerous-direct-browser-access: true`.",
    ),
    _server(
        "allowed_hosts",
        HostNames(),
        "Names that requests may call the server by, beside localhost and its address, comma separated, or * = all. "
        "Looked at while no API key is set, so that no web page comes in under a name of its own.",
    ),
    _server("max_body", Whole(1024, 1_073_741_824, "BYTES"), "Largest request body in bytes; more is a 413."),
    _server("log_level", Choice(("debug", "info", "warning", "error")), "How much the log says."),
    _thinking(
        "key_file",
        Text("the path of a file", "PATH"),
        "File with the keys that seal thinking, one a line; made at the first start.",
        unset="antiphon/thinking.key in the user's state directory",
    ),
    _thinking(
        "keys",
        SealingKeys(),
        f"Keys that seal thinking, comma separated, instead of the file's: 32 bytes in base64 each ({NEW_KEY}). "
        "The first seals, all open.",
        flag=None,
    ),
    _thinking(
        "summarizer",
        Text("the id of a served model", "MODEL"),
        "The served model that sums up for clients what another one thought.",
        unset="clients are shown the thinking itself",
    ),
    _thinking(
        "foreign",
        Choice(("refuse", "drop")),
        "What happens to thinking that comes back under a seal that does not open: a 400, or it is left out.",
    ),
    _network(
        "allow_hosts",
        AllowedHosts(),
        "Hosts that images, PDFs and pages may come from although they are private, comma separated, each with a "
        "scheme and a port where they are not https and its own.",
    ),
    _network(
        "ca_file",
        Text("the path of a file", "PATH"),
        "File with certificates (PEM) of the allowed hosts' authorities, beside those that the system trusts.",
    ),
    _network(
        "timeout", Number(1, 600, "SECONDS"), "Seconds that one image, PDF or page may take to come from its URL."
    ),
    _media(
        "workers",
        Whole(1, 64),
        "Images, PDFs and pages that are read at the same time, each by a process of its own.",
    ),
    _media("memory", Whole(268_435_456, None, "BYTES"), "Memory that such a process may take, in bytes."),
    _media("cache", Whole(0, None, "BYTES"), "Memory for images and PDFs that were read, which clients send again."),
    _turn("rounds", Whole(1, 1000), "Rounds of calls of the server's own tools in one reply; then the turn pauses."),
    _turn("turn_seconds", Number(1, 86_400, "SECONDS"), "Seconds after which a reply with such calls pauses."),
    _turn("tool_seconds", Number(0.1, 3600, "SECONDS"), "Seconds that one run of such a tool may take."),
)

MODEL_OPTIONS: tuple[Option, ...] = (
    Option(
        "source",
        Text("builtin, a PATH.gguf, hf:org/repo[:file] or script:PATH", "SOURCE"),
        None,
        "Where the model comes from: builtin, a PATH.gguf, hf:org/repo[:file] or script:PATH. Required.",
    ),
    _CONTEXT,
    _PARALLEL,
    _THREADS,
    _GPU_LAYERS,
    _BATCH,
    _PROJECTOR,
    _ADAPTER,
    _model(
        "chat_template",
        Text("the path of a Jinja file", "PATH"),
        "Jinja file to use instead of the model's own chat template.",
    ),
    _model(
        "family",
        Text("the name of a family", "FAMILY"),
        "How the model is told of tools and how it thinks: universal, or a native family (docs/families.md).",
        unset="what its chat template fits",
    ),
)

SAMPLING_OPTIONS: tuple[Option, ...] = (
    Option("temperature", Number(0, 2), None, "Temperature where a request sets none."),
    Option("top_p", Number(0, 1), None, "Share of the probability to draw from where a request sets none."),
    Option("top_k", Whole(0), None, "Candidates to draw from where a request sets none; 0 = all."),
)

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "models": "Models to serve, one table an id.",
        "routes": "API model name = id of the served model that answers for it; the default one answers otherwise.",
        "aliases": "New model name = name of the profile whose rules it follows.",
        "profiles": "Rules of further model names, one table a name, merged over the built-in ones.",
        "thinking": "How thinking is sealed and read back.",
        "network": "How images and PDFs are fetched from URLs.",
        "media": "What reading images and PDFs may take.",
        "server_tools": "Tools that run inside the server, a table each, and how long a reply may work with them.",
    }
)
"""The tables that a TOML file may hold beside the options."""
