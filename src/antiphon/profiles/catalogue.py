"""All model names that the server answers to: the built-in profiles, the owner's, and the server's own models."""

from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final, cast, get_args

from antiphon.profiles.fields import READERS, ProfileError
from antiphon.profiles.profile import Effort, Profile

_EFFORTS: tuple[Effort, ...] = get_args(Effort)
_REQUIRED = tuple(f.name for f in fields(Profile) if f.default is MISSING and f.name != "id")
_LEAST_CACHED: Final = 64
"""Tokens of the shortest prefix that a model of one's own caches: a shorter one is read again in no time."""

_NO_PROFILES: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every profile by its canonical id, and every alias by the id that it stands for. Immutable."""

    profiles: Mapping[str, Profile]
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])

    def resolve(self, name: str) -> Profile | None:
        """The profile that a request's `model` names, by canonical id or alias; None for an unknown name."""
        return self.profiles.get(self.aliases.get(name, name))

    def all(self) -> tuple[Profile, ...]:
        """Every profile once, newest first; those of one moment in the order of the data."""
        return tuple(sorted(self.profiles.values(), key=lambda profile: profile.created_at, reverse=True))

    def wide_names(self) -> frozenset[str]:
        """The names, canonical ones and aliases, that are not the vendor's."""
        wide = {id_ for id_, profile in self.profiles.items() if profile.wide}
        return frozenset(wide | {alias for alias, id_ in self.aliases.items() if id_ in wide})

    def with_local(self, id: str, display_name: str, window: int, created_at: str) -> "Catalogue":  # noqa: A002
        """This catalogue and one model of the server's own under its own id, with rules that refuse little.

        `window` is in tokens and is the output limit too; `created_at` is RFC 3339. Raises `ProfileError` if the
        id is taken.
        """
        if id in self.profiles or id in self.aliases:
            raise ProfileError(f'models."{id}": this id is already the name of a profile; give the model another id')
        created = cast("str", READERS["created_at"](f'models."{id}".created_at', created_at))
        local = _local(id, display_name, window, created)
        return replace(self, profiles=MappingProxyType({**self.profiles, id: local}))


def parse_catalogue(
    builtin: Mapping[str, Any],
    owner_profiles: Mapping[str, Mapping[str, Any]] = _NO_PROFILES,
    owner_aliases: Mapping[str, str] = _NO_ALIASES,
    *,
    local_ids: Collection[str] = (),
) -> Catalogue:
    """The catalogue of the built-in data (`{"profiles": {id: {key: value}}}`) with the owner's over it.

    An owner's table under a built-in id changes single keys of that profile; under a new id it says with
    `extends` which profile it starts from, or sets every key. `local_ids` are the ids that `with_local` will add:
    aliases may name them. Raises `ProfileError`.
    """
    # The built-in tables are resolved on their own first: an owner who changes one profile must not change those
    # that happen to be written as extensions of it.
    built = _resolved(builtin.get("profiles", {}), {})
    profiles = {**built, **_resolved(owner_profiles, built)}
    aliases = _aliases(profiles, owner_profiles, owner_aliases, frozenset(local_ids))
    return Catalogue(MappingProxyType(profiles), MappingProxyType(aliases))


def _resolved(tables: Mapping[str, Mapping[str, Any]], below: Mapping[str, Profile]) -> dict[str, Profile]:
    done: dict[str, Profile] = {}
    for name in tables:
        _resolve(name, tables, below, done, ())
    return {name: done[name] for name in tables}


def _resolve(
    name: str,
    tables: Mapping[str, Mapping[str, Any]],
    below: Mapping[str, Profile],
    done: dict[str, Profile],
    chain: tuple[str, ...],
) -> Profile:
    if name in done:
        return done[name]
    if name in chain:
        raise ProfileError(f'profiles."{name}".extends goes round in a circle: {" → ".join((*chain, name))}')
    table = tables[name]
    base = table.get("extends", name if name in below else None)
    values = dict[str, Any]()
    if base == name and name in below:
        values = {key: getattr(below[name], key) for key in READERS}
    elif base in tables:
        values = _inherited(name, table, _resolve(base, tables, below, done, (*chain, name)))
    elif base in below:
        values = _inherited(name, table, below[base])
    elif base is not None:
        others = sorted({*tables, *below} - {name})
        raise ProfileError(
            f'profiles."{name}".extends must be the id of another profile, not {base!r}; '
            f"there are: {', '.join(others)}"
        )
    values |= {key: _read(name, key, value) for key, value in table.items() if key != "extends"}
    done[name] = _checked(name, values)
    return done[name]


def _inherited(name: str, table: Mapping[str, Any], base: Profile) -> dict[str, Any]:
    values: dict[str, Any] = {key: getattr(base, key) for key in READERS}
    values |= {"aliases": (), "display_name": name}
    if table.get("lifecycle", base.lifecycle) != base.lifecycle:
        # The base's own dates of retirement say nothing of a profile in another stage of its life.
        values |= {"deprecated_at": None, "retires_at": None}
    return values


def _read(name: str, key: str, value: Any) -> Any:
    where = f'profiles."{name}".{key}'
    reader = READERS.get(key)
    if reader is None:
        raise ProfileError(f"{where} is not a key of a profile; the keys are: extends, {', '.join(READERS)}")
    return reader(where, value)


def _checked(name: str, values: Mapping[str, Any]) -> Profile:
    where = f'profiles."{name}"'
    missing = [key for key in _REQUIRED if key not in values]
    if missing:
        raise ProfileError(
            f"{where}.{missing[0]} is missing; set it, or start from another profile with "
            'extends = "<its id>"' + (f" (also missing: {', '.join(missing[1:])})" if missing[1:] else "")
        )
    profile = Profile(id=name, **values)
    if profile.max_output > profile.window:
        raise ProfileError(
            f"{where}.max_output ({profile.max_output}) must not be larger than window ({profile.window})"
        )
    if profile.thinking_default == "off" and "disabled" not in profile.thinking:
        raise ProfileError(f'{where}.thinking_default "off" needs "disabled" among the thinking types')
    if profile.thinking_default == "always" and "disabled" in profile.thinking:
        raise ProfileError(f'{where}.thinking_default "always" does not go with the thinking type "disabled"')
    if profile.efforts and profile.effort_default not in profile.efforts:
        raise ProfileError(f"{where}.effort_default must be one of efforts: {', '.join(profile.efforts)}")
    if not profile.efforts and profile.effort_default is not None:
        raise ProfileError(f'{where}.effort_default must be "none" where efforts is empty')
    return profile


def _aliases(
    profiles: Mapping[str, Profile],
    owner_profiles: Mapping[str, Any],
    owner_aliases: Mapping[str, str],
    local_ids: frozenset[str],
) -> dict[str, str]:
    aliases: dict[str, str] = {}
    # The owner's profiles come last, so that an alias claimed there wins over a built-in one.
    for profile in sorted(profiles.values(), key=lambda profile: profile.id in owner_profiles):
        for alias in profile.aliases:
            if alias in profiles:
                raise ProfileError(f'profiles."{profile.id}".aliases: "{alias}" is itself the id of a profile')
            aliases[alias] = profile.id
    named = dict(aliases)
    for alias, target in owner_aliases.items():
        if alias in profiles or alias in local_ids:
            raise ProfileError(
                f'aliases."{alias}" is itself the id of a model; to change its rules write [profiles."{alias}"], '
                "to send it to another model write a route"
            )
        canonical = named.get(target, target)
        if canonical not in profiles and canonical not in local_ids:
            known = sorted({*profiles, *named, *local_ids})
            raise ProfileError(f'aliases."{alias}" must name a model, not "{target}"; there are: {", ".join(known)}')
        aliases[alias] = canonical
    return aliases


def _local(id: str, display_name: str, window: int, created_at: str) -> Profile:  # noqa: A002
    return Profile(
        id=id,
        display_name=display_name,
        created_at=created_at,
        aliases=(),
        lifecycle="active",
        line=None,
        window=window,
        max_output=window,
        thinking=frozenset(("enabled", "adaptive", "disabled")),
        thinking_default="off",
        thinking_display="summarized",
        disabled_max_effort=None,
        efforts=_EFFORTS,
        effort_default="high",
        sampling="free",
        prefill=True,
        forced_tool_choice=True,
        system_role=True,
        min_cache_tokens=_LEAST_CACHED,
        overflow="stop",
        interleaving="both",
        keeps_thinking=True,
        image_tier="high",
        inference_geo=True,
        fast_mode=False,
        task_budget=True,
        compaction=True,
        wide=True,
    )
