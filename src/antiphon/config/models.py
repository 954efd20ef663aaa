"""Which models are served: `[models.*]` tables, `--model` and the sources it may name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon.config.reading import ConfigError, as_table, nearest, read_options
from antiphon.config.remote import REMOTE_ID, split
from antiphon.config.settings import DEFAULT_MODEL
from antiphon.config.short import SHORT_NAMES, source_of
from antiphon.config.tables.models import (
    BUILTIN_SAMPLING,
    MODEL_OPTIONS,
    SAMPLING_OPTIONS,
    ModelSettings,
    SamplingSettings,
)

BUILTIN = "builtin"
_HUB = re.compile(r"hf:[\w.-]+/[\w.-]+(:[\w./-]+)?")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_SOURCES = f"{BUILTIN}, the path of a .gguf file, hf:org/repo[:file], script:PATH or a short name"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """`--model` and its company: `wanted` with the `place` that said it, and the options of the default model
    that outrank its table (`over`: flags and environment) or stand behind it (`under`: the file's top level), with
    the `places` that said them."""

    wanted: str | None
    place: str
    over: Mapping[str, Any] = field(default_factory=dict[str, Any])
    under: Mapping[str, Any] = field(default_factory=dict[str, Any])
    places: Mapping[str, str] = field(default_factory=dict[str, str])


def is_source(text: str) -> bool:
    """Whether the text says where a model comes from, rather than being an id."""
    known = text == BUILTIN or text in SHORT_NAMES
    return known or text.startswith(("hf:", "script:")) or text.lower().endswith(".gguf")


def id_of(source: str) -> str:
    """A model id made from a source: the file's or repository's name, lower case, without its ending."""
    if source == BUILTIN:
        return DEFAULT_MODEL
    path = re.split(r"[/\\:]", source)[-1]
    stem = path.rsplit(".", 1)[0] if re.search(r"\.(gguf|toml|json)$", path, re.IGNORECASE) else path
    name = re.sub(r"[^a-z0-9._-]+", "-", _SHARD.sub("", stem).lower()).strip("-._")
    return name.removesuffix("-gguf") or "model"


def read_tables(tables: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
    """The `[models.*]` tables as field values; only what the file says."""
    return {name: _read_table(name, table, f"{where}, [models.{name}]") for name, table in tables.items()}


def serve(
    tables: Mapping[str, dict[str, Any]], choice: ModelChoice, env: Mapping[str, str], where: str
) -> tuple[str, dict[str, ModelSettings]]:
    """The id of the default model, and every model to serve by id. `where`: what errors call the file."""
    served: dict[str, ModelSettings] = {}
    default, source = _choose(tables, choice)
    for name in dict.fromkeys((*tables, default)):
        table = tables.get(name, {"source": source} if source else {})
        places = {key: f"{where}, [models.{name}] {key}" for key in table}
        given = dict(table)
        if name == default:
            given = _with_company(table, choice)
            places = {**choice.places, **places, **{key: choice.places[key] for key in choice.over}}
        served[name] = _settings(name, split(given, places, env))
    return default, served


def builtin() -> ModelSettings:
    """The model that is served where nothing else is asked for."""
    return _settings(DEFAULT_MODEL, {"source": BUILTIN})


def _with_company(table: Mapping[str, Any], choice: ModelChoice) -> dict[str, Any]:
    """What the default model's table says, and what was said of it elsewhere."""
    of_table = dict(table)
    if "urls" in choice.over:
        of_table.pop("url", None)
    return {**choice.under, **of_table, **choice.over}


def _settings(name: str, given: Mapping[str, Any]) -> ModelSettings:
    settings = ModelSettings(id=name, **given)
    if settings.source != BUILTIN:
        return settings
    said = settings.sampling
    return replace(
        settings,
        sampling=SamplingSettings(
            temperature=BUILTIN_SAMPLING.temperature if said.temperature is None else said.temperature,
            top_p=BUILTIN_SAMPLING.top_p if said.top_p is None else said.top_p,
            top_k=said.top_k,
            dry=BUILTIN_SAMPLING.dry if said.dry is None else said.dry,
        ),
    )


def _choose(tables: Mapping[str, Mapping[str, Any]], choice: ModelChoice) -> tuple[str, str]:
    wanted = choice.wanted
    if "urls" in choice.places:
        return _choose_remote(tables, choice), ""
    if wanted is None:
        if len(tables) > 1:
            raise ConfigError(
                f"{choice.place}: [models] has {', '.join(tables)}; "
                'say with model = "…" or --model which of them answers by default'
            )
        return next(iter(tables), DEFAULT_MODEL), BUILTIN
    if wanted in tables:
        return wanted, ""
    if wanted == DEFAULT_MODEL:
        return wanted, BUILTIN
    if wanted in SHORT_NAMES:
        return wanted, source_of(wanted)
    if not is_source(wanted):
        known = [*tables, DEFAULT_MODEL]
        raise ConfigError(
            f"{choice.place}: '{wanted}' is not a model{nearest(wanted, [*known, *SHORT_NAMES])} "
            f"(allowed: {', '.join(known)}, a short name of `antiphon models list`, or a source: {_SOURCES})"
        )
    _check_source(wanted, choice.place)
    name = id_of(wanted)
    if name in tables and tables[name].get("source") != wanted:
        raise ConfigError(
            f"{choice.place}: '{wanted}' would be served as '{name}', which [models.{name}] gives to another source; "
            f"write --model {name} for that one, or give this one a table of its own"
        )
    return name, wanted


def _choose_remote(tables: Mapping[str, Mapping[str, Any]], choice: ModelChoice) -> str:
    """The id of the model that is at the URLs which were said outside of all tables."""
    wanted = choice.wanted
    if wanted is None:
        alone = len(tables) == 1 and next(iter(tables.values())).keys() & {"url", "urls"}
        return next(iter(tables)) if alone else REMOTE_ID
    if wanted in tables:
        return wanted
    if is_source(wanted) or not _ID.fullmatch(wanted):
        raise ConfigError(
            f"{choice.place}: '{wanted}' is no id for the model at the URLs of {choice.places['urls']}; "
            "give it one (letters, digits, '.', '_', '-'), or leave it out"
        )
    return wanted


def _check_source(source: str, place: str) -> None:
    if not is_source(source) or (source.startswith("hf:") and not _HUB.fullmatch(source)) or source == "script:":
        raise ConfigError(f"{place}: '{source}' is not a source of models (allowed: {_SOURCES})")


def _read_table(name: str, value: Any, place: str) -> dict[str, Any]:
    table = as_table(value, place, f'[models.{name}] and below it source = "…"')
    if not _ID.fullmatch(name):
        raise ConfigError(f"{place}: '{name}' cannot be a model id (allowed: letters, digits, '.', '_', '-')")
    given = read_options(table, MODEL_OPTIONS, place, extra=("sampling",))
    if "sampling" in table:
        within = f"{place[:-1]}.sampling]"
        sampling = as_table(table["sampling"], within, "sampling.temperature = 0.7")
        given["sampling"] = SamplingSettings(**read_options(sampling, SAMPLING_OPTIONS, within))
    if given.keys() & {"url", "urls"}:
        return given
    if "source" not in given:
        if name != DEFAULT_MODEL:
            raise ConfigError(f"{place}: source is missing (allowed: {_SOURCES}), or url")
        given["source"] = BUILTIN
    _check_source(given["source"], f"{place} source")
    given["source"] = source_of(given["source"])
    return given
