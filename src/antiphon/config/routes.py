"""`[routes]`: which served models answer for a name, one after the other."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any, cast

from antiphon.config.reading import ConfigError, nearest
from antiphon.config.settings import DEFAULT_MODEL

Routes = Mapping[str, tuple[str, ...]]
"""API model name, or a pattern of some → ids of served models, the first choice first."""


def read_routes(table: Mapping[str, Any], place: str) -> dict[str, tuple[str, ...]]:
    """The routes that a table says. Raises `ConfigError`."""
    routes: dict[str, tuple[str, ...]] = {}
    for name, value in table.items():
        ids = cast("list[Any]", value) if isinstance(value, list) else [value]
        if not ids or not all(isinstance(one, str) and one for one in ids):
            raise ConfigError(
                f"{place} {name}: this must be the id of a served model, or a list of ids, the first choice first; "
                f'a name with dots goes in quotes: "{name}" = "…"'
            )
        twice = next((one for at, one in enumerate(ids) if one in ids[:at]), None)
        if twice is not None:
            raise ConfigError(f"{place} {name}: {twice} stands there twice; a model that is down is not asked again")
        routes[name] = tuple(ids)
    return routes


def check_routes(routes: Routes, models: Collection[str], place: str) -> None:
    """Raise `ConfigError` where a route goes nowhere, or away from the model whose own id it names."""
    for name, ids in routes.items():
        for one in ids:
            check_served(one, models, f"{place} {name}")
        if name in models and ids[0] != name:
            others = "".join(f', "{one}"' for one in ids if one != name)
            raise ConfigError(
                f"{place} {name}: this is the id of a served model, which is asked for itself first: write "
                f'["{name}"{others}], or route another name'
            )


def check_served(model: str, models: Collection[str], place: str) -> None:
    """Raise `ConfigError` where this is not the id of a served model."""
    known = list(dict.fromkeys([*models, DEFAULT_MODEL]))
    if model not in models:
        allowed = f"(allowed: {', '.join(known)})"
        raise ConfigError(f"{place}: '{model}' is not a served model{nearest(model, known)} {allowed}")


def targets(routes: Routes, default: str, name: str, profile: str) -> tuple[str, ...]:
    """The ids of the models that answer for a name, which stands for a profile: by its own route, else by the
    profile's, else by the first pattern that fits one of both, else the default model."""
    found = routes.get(name) or routes.get(profile)
    if found is None:
        fitting = (ids for each, ids in routes.items() if fnmatchcase(name, each) or fnmatchcase(profile, each))
        found = next(fitting, (default,))
    return found
