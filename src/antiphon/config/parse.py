"""Flags, environment and TOML to `Settings`."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from antiphon.config.models import ModelChoice, builtin, read_tables, serve
from antiphon.config.option import CONFIG_ENV, CONFIG_FILE, ENV_PREFIX, Option, Table
from antiphon.config.options import OPTIONS
from antiphon.config.reading import ConfigError, as_table, nearest, read_options
from antiphon.config.routes import check_routes, check_served, read_routes
from antiphon.config.settings import DEFAULT_MODEL, Settings
from antiphon.config.tables import TABLES
from antiphon.config.tables.limits import IN_PROCESS

_MONTH = 31

# A container platform sets these for a service that is called "antiphon"; they are not ours to complain about.
_SERVICE_LINKS = (f"{ENV_PREFIX}SERVICE_", f"{ENV_PREFIX}PORT_")


@dataclass(frozen=True, slots=True)
class _Said:
    """A value with the place that said it, for errors; `in_file`: the place is the TOML file."""

    value: Any
    place: str
    in_file: bool = False


def parse_settings(
    flags: Mapping[str, Any], env: Mapping[str, str], toml: Mapping[str, Any], *, toml_path: str = CONFIG_FILE
) -> Settings:
    """The settings that flags, environment and file amount to; ConfigError at the first that is wrong.

    `flags` is keyed by option name and holds only what was given, as text or as values; `env` may be the whole
    environment; `toml` is a parsed file, and `toml_path` is what errors call it.
    """
    _check_names(flags, env)
    tables = {
        table.name: as_table(toml.get(table.name, {}), f"{toml_path}, [{table.name}]", f"[{table.name}]")
        for table in TABLES
    }
    in_file = _in_file(toml, tables, toml_path)
    said = {option.name: found for option in OPTIONS if (found := _find(option, flags, env, in_file, toml_path))}

    default, models = serve(read_tables(tables["models"], toml_path), _model_choice(said, toml_path), env, toml_path)
    routes = read_routes(tables["routes"], f"{toml_path}, [routes]")
    helpers = [said[name] for name in ("thinking_summarizer", "guard_model") if said.get(name) is not None]
    if DEFAULT_MODEL in (*chain.from_iterable(routes.values()), *(helper.value for helper in helpers)):
        models.setdefault(DEFAULT_MODEL, builtin())
    check_routes(routes, models, f"{toml_path}, [routes]")
    for helper in helpers:
        check_served(helper.value, models, helper.place)

    of_server = {option.name for option in OPTIONS if not (option.of_model or option.table or option.name == "model")}
    settings = Settings(
        **{name: found.value for name, found in said.items() if name in of_server},
        **_of_tables(said, tables, env, toml_path),
        default_model=default,
        models=models,
        routes=routes,
        aliases=_texts(tables["aliases"], f"{toml_path}, [aliases]", "the name of a profile"),
        profiles={
            name: as_table(table, f"{toml_path}, [profiles] {name}", f'[profiles."{name}"]')
            for name, table in tables["profiles"].items()
        },
    )
    _check_together(settings, said, toml_path)
    return settings


def _check_together(settings: Settings, said: Mapping[str, _Said], toml_path: str) -> None:
    """Raise ConfigError where settings that are right by themselves are not so together."""
    if not settings.is_loopback and not settings.api_keys and not settings.require_keys:
        raise ConfigError(
            f"{said['host'].place}: {settings.host} lets other machines reach the server, and no API key is set. "
            "Set ANTIPHON_API_KEYS to one or more keys of your own (comma separated), say --require-keys and make "
            "some with antiphon keys add, or listen on 127.0.0.1"
        )
    paced = any(rule.paced for rule in settings.limits)
    if paced and settings.limit_store.store == IN_PROCESS and settings.workers > 1:
        raise ConfigError(
            f"{toml_path}, [limits]: {settings.workers} workers would each count for itself. Say where they count "
            'together: store = "redis://127.0.0.1:6379/0", or have one worker'
        )
    _check_spending(settings, toml_path)
    if settings.require_keys and not settings.api_keys and not settings.stores.kept:
        raise ConfigError(
            f"{said['require_keys'].place}: no API key is set, and none can be made, since nothing is kept "
            f"({said['stores_data'].place}): nobody would be let in. Set ANTIPHON_API_KEYS, or keep something"
        )
    if settings.tls.key is not None and settings.tls.cert is None:
        raise ConfigError(
            f"{said['tls_key'].place}: this is the key of a certificate, and none is named: set tls_cert"
        )


def _check_spending(settings: Settings, toml_path: str) -> None:
    """Who limits what may be spent says what things cost, and keeps it until a month is over."""
    limited = next((rule.name for rule in settings.limits if rule.dollars_per_month), None)
    if limited is None:
        return
    place = f"{toml_path}, [limits.{limited}]: dollars_per_month"
    if not settings.prices:
        raise ConfigError(f'{place} needs prices: write a table [prices."*"] with input and output, for one')
    if not settings.stores.kept or settings.usage.days <= _MONTH:
        raise ConfigError(
            f"{place} needs what was spent in the month to be kept: more than {_MONTH} days in [usage], and stores"
        )


def _check_names(flags: Mapping[str, Any], env: Mapping[str, str]) -> None:
    known = [*(name for option in OPTIONS for name in option.variables), CONFIG_ENV]
    for name in env:
        if name.startswith(ENV_PREFIX) and name not in known and not name.startswith(_SERVICE_LINKS):
            raise ConfigError(f"{name}: unknown variable{nearest(name, known)} (allowed: {', '.join(known)})")
    if strange := flags.keys() - {option.name for option in OPTIONS if option.flag}:
        raise ConfigError(f"unknown flags: {', '.join(sorted(strange))}")


def _in_file(toml: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], toml_path: str) -> dict[str, Any]:
    """The options that the file sets, at its top level and in their tables, by name."""
    names = [table.name for table in TABLES]
    given = read_options(toml, [option for option in OPTIONS if not option.table], toml_path, extra=names)
    for table in TABLES:
        if table.settings is not None:
            said = tables[table.name]
            # What is in a table within the table is read where that is understood.
            within = _within(table, said) if table.inner is not None else ()
            given |= read_options(said, table.options, f"{toml_path}, [{table.name}]", within)
    return given


def _within(table: Table, said: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The tables inside a table. One that is called like an option of it is a wrong value of that option."""
    plain = {option.key for option in table.options}
    return {key: value for key, value in said.items() if key not in plain and isinstance(value, Mapping)}


def _of_tables(
    said: Mapping[str, _Said], tables: Mapping[str, Mapping[str, Any]], env: Mapping[str, str], toml_path: str
) -> dict[str, Any]:
    """The fields of `Settings` that tables fill."""
    fields: dict[str, Any] = {}
    for table in TABLES:
        if table.settings is not None:
            fields[table.field] = table.settings(**_given(table, said, inside=False))
        if table.inner is not None:
            inner = _within(table, tables[table.name])
            fields[table.name] = table.inner(inner, _given(table, said, inside=True), env, toml_path)
    return fields


def _given(table: Table, said: Mapping[str, _Said], *, inside: bool) -> dict[str, Any]:
    """The values of a table's options by key; `inside`: of those that go with the tables inside it."""
    return {
        option.key: said[option.name].value
        for option in table.options
        if option.name in said and (option.key in table.within) == inside
    }


def _find(
    option: Option, flags: Mapping[str, Any], env: Mapping[str, str], in_file: Mapping[str, Any], toml_path: str
) -> _Said | None:
    """The option's value from the highest place that says one. An empty variable says nothing."""
    if option.flag and (flag := flags.get(option.name)) is not None:
        return _Said(_read(option, flag, option.flag), option.flag)
    if texts := {name: text for name in option.variables if (text := env.get(name, ""))}:
        place = " and ".join(texts)
        return _Said(_read(option, ",".join(texts.values()), place), place)
    if option.name in in_file:
        return _Said(in_file[option.name], option.place_in(toml_path), in_file=True)
    return None


def _read(option: Option, value: Any, place: str) -> Any:
    try:
        return option.kind.from_text(value) if isinstance(value, str) else option.kind.from_toml(value)
    except ValueError as wrong:
        hint = ""
        if place == f"{ENV_PREFIX}PORT" and str(value).startswith("tcp://"):
            hint = " (Kubernetes sets this for a service named antiphon: set enableServiceLinks: false in the pod)"
        raise ConfigError(f"{place}: {wrong}{hint}") from None


def _model_choice(said: Mapping[str, _Said], toml_path: str) -> ModelChoice:
    wanted = said.get("model")
    company = {option.name: said[option.name] for option in OPTIONS if option.of_model and option.name in said}
    return ModelChoice(
        wanted=None if wanted is None else wanted.value,
        place=f"{toml_path}, model" if wanted is None else wanted.place,
        over={name: found.value for name, found in company.items() if not found.in_file},
        under={name: found.value for name, found in company.items() if found.in_file},
        places={name: found.place for name, found in company.items()},
    )


def _texts(table: Mapping[str, Any], place: str, wanted: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in table.items():
        if not isinstance(value, str) or not value:
            raise ConfigError(
                f'{place} {name}: this must be {wanted}; a name with dots goes in quotes: "{name}" = "…"'
            )
        texts[name] = value
    return texts
