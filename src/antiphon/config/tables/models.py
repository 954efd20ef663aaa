"""`[models.<id>]`: one model to serve, and how it samples. Some of its options may also be said of the default model,
by flags, variables and at the top level of the file."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from antiphon.config.kinds import Choice, Kind, Number, Switch, Text, TextOrNone, Whole
from antiphon.config.option import Option, Table
from antiphon.config.remote import KEY_OPTION, REMOTE_OPTIONS, SHARED_OPTIONS, RemoteSettings

Images = Literal["read", "refuse"]


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """What a request's silence means for this model; None = the API's default (temperature 1, no cut).

    `dry`: how strongly a text is kept from going in circles; 0 = not at all, None = what the model needs.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    dry: float | None = None


BUILTIN_SAMPLING: Final = SamplingSettings(temperature=0.2, top_p=0.9, dry=0.8)
"""What the built-in model's card recommends, and a guard: a model of this size loses the thread at temperature 1, and
says one sentence to every limit where it is asked for more than it can."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """One model to serve. `source`: `builtin`, a path to a .gguf file, `hf:org/repo[:file]`, or `script:PATH`; of a
    model that is in somebody else's engines, `remote`, it is their URLs.

    `context`: tokens one conversation may hold (0 = what the model was trained on, at most 8192). `parallel`:
    conversations answered at once. `threads`: 0 = one per physical core. `gpu_layers`: -1 = as many as fit.
    `batch`: prompt tokens read in one step (0 = chosen for the device); a step cannot be interrupted.
    `chat_template`: path of a Jinja file to use instead of the model's own template. `family`: the name of the family
    that says how it calls tools and thinks (None: what the template fits). `projector`: what lets it see pictures: a
    path, `hf:org/repo:file`, a file of its own `hf:` repository, or `none` (None: what lies beside a local model).
    `adapter`: what changes the model, the path of a LoRA GGUF, or `none` (None: what ships for the built-in model).
    `merge_adapter`: whether the adapter is merged into a copy of the model, which is kept, instead of being applied
    at load (None: for the built-in model). `images`: what becomes of pictures where it does not see: they are read
    for it, or refused. `queue`: how many requests may wait for their turn, at every engine that has the model.
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
    merge_adapter: bool | None = None
    images: Images = "read"
    queue: int = 256
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    remote: RemoteSettings | None = None


_DEFAULTS: Final = ModelSettings("", "")


def _model(name: str, kind: Kind, meaning: str, unset: str = "none") -> Option:
    return Option(name, kind, getattr(_DEFAULTS, name), meaning, of_model=True, unset=unset)


def _sampling(name: str, kind: Kind, meaning: str) -> Option:
    default: Any = getattr(SamplingSettings(), name)
    return Option(name, kind, default, meaning)


DEFAULT_MODEL_OPTIONS: Final = (
    _model(
        "context",
        Whole(0, 16_777_216, "TOKENS"),
        "Tokens one conversation may hold, prompt and reply together; 0 = what the model was trained on, at most "
        "8192.",
    ),
    _model(
        "parallel",
        Whole(1, 256),
        "Conversations answered at the same time; the rest wait their turn. With an adapter for tools that is merged "
        "in, so many with tools or thoughts and so many without.",
    ),
    _model("threads", Whole(0, 1024), "CPU threads of the engine; 0 = one per physical core."),
    _model("gpu_layers", Whole(-1, 10_000), "Model layers kept on the GPU; -1 = as many as fit, 0 = none."),
    _model(
        "batch",
        Whole(0, 1_048_576, "TOKENS"),
        "Prompt tokens read in one step; 0 = chosen for the device. A step cannot be interrupted.",
    ),
    _model(
        "projector",
        Text("the path of a projector", "PATH"),
        "Projector (mmproj file) that lets the model see pictures: a PATH.gguf, hf:org/repo:file, a file of the "
        "model's own hf: repository, or none.",
        unset="an mmproj*.gguf beside a local model that is alone in its directory",
    ),
    _model(
        "adapter",
        TextOrNone("the path of an adapter, or none", "PATH"),
        "Adapter (a LoRA in a .gguf file) that changes the model, or none.",
        unset="the one that ships with the built-in model",
    ),
    _model(
        "merge_adapter",
        Switch(),
        "Merge the adapter into a copy of the model, written once and kept on the disk: it writes faster than with "
        "one applied at load, and work with tools and without runs at once. False also keeps the built-in model from "
        "being written anew in a form that is read faster.",
        unset="true for the built-in model, else false",
    ),
    _model(
        "images",
        Choice(("read", "refuse")),
        "Pictures for a model that does not see them: read a description of each to it, or refuse them with a 400. A "
        "model with a projector is shown them in any case.",
    ),
)
"""What may be said of the default model outside its table, where it runs here."""

OUTSIDE_OPTIONS: Final = (*DEFAULT_MODEL_OPTIONS, *SHARED_OPTIONS, KEY_OPTION)
"""What may be said of the default model outside its table."""

MODEL_OPTIONS: Final = (
    Option(
        "source",
        Text("builtin, a PATH.gguf, hf:org/repo[:file] or script:PATH", "SOURCE"),
        None,
        "Where the model comes from: builtin, a PATH.gguf, hf:org/repo[:file] or script:PATH. Required where no URL "
        "is given.",
    ),
    *DEFAULT_MODEL_OPTIONS,
    *REMOTE_OPTIONS,
    Option(
        "queue",
        Whole(0, 1_000_000, "REQUESTS"),
        _DEFAULTS.queue,
        "Requests that may wait for their turn, for each engine that has the model; beyond it, clients are told to "
        "come back later (529).",
        flag=None,
    ),
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
"""What the table of a model may say."""

SAMPLING_OPTIONS: Final = (
    _sampling("temperature", Number(0, 2), "Temperature where a request sets none."),
    _sampling("top_p", Number(0, 1), "Share of the probability to draw from where a request sets none."),
    _sampling("top_k", Whole(0), "Candidates to draw from where a request sets none; 0 = all."),
    _sampling(
        "dry",
        Number(0, 5),
        "How strongly a text is kept from going in circles (llama.cpp's DRY, on repetitions of more than 24 tokens); "
        "one that says the same up to three lines five times in a row, numbered or not, ends. 0 = not at all. Has no "
        "part where a request sets temperature, top_p or top_k, or where a grammar bounds the reply. Unset: 0.8 for "
        "the built-in model, else 0.",
    ),
)

MODELS: Final = Table("models", "Models to serve, one table an id.")
