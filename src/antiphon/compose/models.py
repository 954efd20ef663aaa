"""Which names are answered by which model, and under whose rules."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from antiphon.compose.observer import StartError
from antiphon.config import ConfigError, Settings
from antiphon.config.reading import nearest
from antiphon.config.routes import targets
from antiphon.ports.engine import Engine
from antiphon.profiles import Catalogue, ProfileError, parse_catalogue
from antiphon.render.families import FAMILIES
from antiphon.render.families.syntax import Family
from antiphon.render.prompt.detection import family_for
from antiphon.render.prompt.template import TemplateError
from antiphon.service.served import ServedModel
from antiphon.weights.description import ModelDescription, describe


def load_catalogue(settings: Settings) -> Catalogue:
    """The profiles that ship with the package, with the owner's over them. Raises `ConfigError`."""
    if not settings.profiles and not settings.aliases:
        return _shipped()
    try:
        return parse_catalogue(_data(), settings.profiles, settings.aliases, local_ids=settings.models)
    except ProfileError as problem:
        raise ConfigError(str(problem)) from problem


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(files("antiphon.profiles").joinpath("data.toml").read_text("utf-8"))


@cache
def _shipped() -> Catalogue:
    return parse_catalogue(_data())


def describe_models(settings: Settings) -> list[ModelDescription]:
    """Every model of the settings: its file, if it is here, and the names that it answers for. Loads none.

    Raises `ConfigError`.
    """
    from antiphon.engines.llamacpp.engine import DEFAULT_CONTEXT  # see `compose.engines`

    families(settings)
    answers, second = names_by_model(settings), second_choices(settings)
    described = [describe(model, answers[id_], DEFAULT_CONTEXT) for id_, model in settings.models.items()]
    return [replace(one, second_choice_for=second[one.id]) for one in described]


def families(settings: Settings) -> dict[str, Family | None]:
    """Model id → the family that the settings name for it, None if they name none. Raises `ConfigError`."""
    known = [family.name for family in FAMILIES]
    named: dict[str, Family | None] = dict.fromkeys(settings.models)
    for id_, model in settings.models.items():
        if model.family is None:
            continue
        if model.family not in known:
            raise ConfigError(
                f"[models.{id_}] family: '{model.family}' is not a family of models"
                f"{nearest(model.family, known)} (allowed: {', '.join(known)})"
            )
        named[id_] = family_for(None, model.family)
    return named


def names_by_model(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Model id → the API names that it answers for, its own first."""
    answers: dict[str, list[str]] = {id_: [id_] for id_ in settings.models}
    for name, ids in _targets(settings):
        answers[ids[0]].append(name)
    return {id_: tuple(dict.fromkeys(names)) for id_, names in answers.items()}


def second_choices(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Model id → the API names that it answers for where the models before it are down."""
    answers: dict[str, list[str]] = {id_: [] for id_ in settings.models}
    own = ((id_, settings.routes.get(id_, (id_,))) for id_ in settings.models)
    for name, ids in (*own, *_targets(settings)):
        for id_ in ids[1:]:
            answers[id_].append(name)
    return {id_: tuple(dict.fromkeys(names)) for id_, names in answers.items()}


def _targets(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each name that is none of a served model's own, and the models that answer for it."""
    catalogue = load_catalogue(settings)
    names = [(name, profile.id) for profile in catalogue.all() for name in (profile.id, *profile.aliases)]
    names += [(alias, catalogue.aliases[alias]) for alias in settings.aliases]
    for name, id_ in names:
        own = settings.routes.get(id_, (id_,)) if id_ in settings.models else None
        yield name, own or targets(settings.routes, settings.default_model, name, id_)


def ready_model(engine: Engine, family: Family | None, *, reads: bool) -> ServedModel:
    """A started engine with what its model needs. Raises `StartError` where its template is unusable.

    `reads`: pictures are to be described to it where it does not see.
    """
    try:
        return ServedModel.of(engine, family, reads=reads)
    except TemplateError as problem:
        raise StartError(
            f"model {engine.card.id}: {problem}. Set `chat_template` of this model to the path of a working template."
        ) from problem


def with_own(catalogue: Catalogue, served: Mapping[str, ServedModel]) -> Catalogue:
    """The catalogue with a profile for each served model under its own id. Raises `ConfigError`."""
    for id_, model in served.items():
        card = model.engine.card
        created = datetime.fromtimestamp(card.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            catalogue = catalogue.with_local(id_, card.title or card.name, card.window, created)
        except ProfileError as problem:
            raise ConfigError(str(problem)) from problem
    return catalogue
