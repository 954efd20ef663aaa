"""Which engine answers for which model name."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import count
from typing import Final

from antiphon.config.routes import Routes, targets
from antiphon.dialogue.thinking import Thinker
from antiphon.errors import ApiError
from antiphon.ports.engine import Engine
from antiphon.profiles import Catalogue, Profile
from antiphon.render.families.syntax import UNIVERSAL_THOUGHT, Family
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.request.asked import Target
from antiphon.service.grammars import Grammars
from antiphon.service.held import Holds

log = logging.getLogger(__name__)

_MOST_NAMES: Final = 256

_LONGEST_NAME: Final = 128

_NUMBERS: Final = count()


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A running engine with what its model needs: prompts, grammars, the family that says how it calls tools.

    `reads`: pictures are described to the model where it does not see. `number`: tells it from every other one of
    this process, also from those that have had its id before.
    """

    engine: Engine
    prompts: PromptBuilder
    grammars: Grammars
    reads: bool = False
    number: int = field(default_factory=_NUMBERS.__next__)

    @classmethod
    def of(cls, engine: Engine, family: Family | None = None, *, reads: bool = False) -> "ServedModel":
        """A started engine, ready to be asked; raises `TemplateError` where its chat template is unusable."""
        prompts = PromptBuilder(engine.card, family)
        return cls(engine, prompts, Grammars(engine, prompts.family), reads)

    def target(self, profile: Profile, *, instead: bool = False) -> Target:
        """What requests have to know of this model where it answers under the profile's rules; `instead` of another
        one, in its own name.

        The window is the smaller of the promise and the engine's room.
        """
        card = self.engine.card
        if instead:
            profile = replace(profile, id=card.id)
        thinker: Thinker = "universal" if self.prompts.family.thought == UNIVERSAL_THOUGHT else "native"
        name, own = card.name or card.id, profile.id == card.id
        window = min(profile.window, card.window)
        return Target(profile, window, name, card.sees, thinker, own, self.reads, instead, card.blind)


Allowed = tuple[str, ...] | None
"""Patterns of the names of models that somebody may ask for; None: all of them."""


def may_ask(allowed: Allowed, name: str, profile: Profile) -> bool:
    """Whether a model may be asked for: by the name that was used, or by the one that it stands for."""
    return allowed is None or fits(allowed, (name, profile.id))


def fits(patterns: Sequence[str], names: Sequence[str]) -> bool:
    """Whether something with these patterns is for a model with these names."""
    return any(fnmatchcase(name, each) for each in patterns for name in names)


class _Names:
    """Which names there are, and where they go, at one time."""

    def __init__(self, catalogue: Catalogue, served: Mapping[str, ServedModel], default: str, routes: Routes) -> None:
        self.catalogue = catalogue
        self.served = dict(served)
        self.default = default
        self.routes = dict(routes)
        self.wide = catalogue.wide_names()
        self.resolved: dict[tuple[str, str | None], tuple[Profile, Target, ServedModel]] = {}
        self.choices = {name: ids for name, ids in routes.items() if len(ids) > 1}

    def targets(self, profile: Profile, name: str | None = None) -> tuple[str, ...]:
        """The ids of the served models that answer for a profile (asked for by `name`), the first choice first."""
        if profile.id in self.served:
            return self.routes.get(profile.id, (profile.id,))
        return targets(self.routes, self.default, name or profile.id, profile.id)


class ModelRoutes:
    """Resolves the names that clients use, by what the settings say now.

    A model that is served answers under its own id; every other name of the catalogue goes where `routes` sends
    it, and to the default model otherwise. Of several models the first answers that is up. `holds`: the requests that
    may still need a model of before.
    """

    def __init__(self, catalogue: Catalogue, served: Mapping[str, ServedModel], default: str, routes: Routes) -> None:
        self.holds = Holds()
        self._told: set[str] = set()
        self._chosen: dict[tuple[str, ...], str] = {}
        self.become(catalogue, served, default, routes)

    def become(self, catalogue: Catalogue, served: Mapping[str, ServedModel], default: str, routes: Routes) -> None:
        """Let names go elsewhere from the next request on."""
        self._names = _Names(catalogue, served, default, routes)

    @property
    def catalogue(self) -> Catalogue:
        """All names that there are."""
        return self._names.catalogue

    @property
    def served(self) -> Mapping[str, ServedModel]:
        """The models that answer, by their ids."""
        return self._names.served

    @property
    def wide(self) -> frozenset[str]:
        """The names of models that are as wide as the model itself."""
        return self._names.wide

    @property
    def choices(self) -> Mapping[str, tuple[str, ...]]:
        """Names and patterns for which several models answer, and these by their ids."""
        return self._names.choices

    def targets(self, name: object) -> tuple[str, ...]:
        """The ids of the models that answer for a name, if it is one."""
        profile = self._names.catalogue.resolve(name) if isinstance(name, str) else None
        return () if profile is None else self._names.targets(profile, str(name))

    async def choose(self, name: object, avoid: Collection[str] = ()) -> str | None:
        """Which of several models answers for a name: the first that is up, and not to be avoided. Where none is,
        the first, for which requests wait as always. None: there is nothing to choose."""
        names = self._names
        ids = self.targets(name) if names.choices else ()
        if len(ids) < 2:
            return None
        left = [id_ for id_ in ids if id_ not in avoid and id_ in names.served] or [ids[0]]
        chosen, why = left[0], ""
        for id_ in left:
            health = await names.served[id_].engine.health()
            if health.ready:
                chosen = id_
                break
            why = why or health.detail
        if not avoid and self._chosen.get(ids, ids[0]) != chosen:
            self._chosen[ids] = chosen
            if chosen == ids[0]:
                log.warning("%s answers itself again, and no other model for it", chosen)
            else:
                log.warning("%s answers for %s, which is down: %s", chosen, ids[0], why)
        return chosen

    def resolve(self, name: str, allowed: Allowed = None, chosen: str | None = None) -> tuple[Target, ServedModel]:
        """The target of a model name, and the model; raises the API's 404 for a name that nobody promised, or that is
        not `allowed`. `chosen`: which of several models answers; by default the first."""
        names = self._names  # this may run in a thread, and others come meanwhile
        resolved = names.resolved.get((name, chosen))
        if resolved is None:
            profile = self._promised(names, name)
            ids = names.targets(profile, name)
            id_ = chosen if chosen in ids else ids[0]
            served = names.served[id_]
            # Only names of the catalogue come to here: there are no more of them than it has.
            resolved = profile, served.target(profile, instead=id_ != ids[0]), served
            names.resolved[name, chosen] = resolved
        profile, target, served = resolved
        if not may_ask(allowed, name, profile):
            raise _unknown(name)
        return target, served

    def promised(self, name: str, allowed: Allowed = None) -> Profile:
        """The profile of a name; raises the API's 404 where there is none, and tells the owner once how to add it;
        and where it is not `allowed`."""
        profile = self._promised(self._names, name)
        if not may_ask(allowed, name, profile):
            raise _unknown(name)
        return profile

    def _promised(self, names: _Names, name: str) -> Profile:
        profile = names.catalogue.resolve(name)
        if profile is None:
            self._tell_of(name)
            raise _unknown(name)
        return profile

    def _tell_of(self, name: str) -> None:
        # Clients choose these names: neither many of them nor a long one may fill the log.
        if name in self._told or len(name) > _LONGEST_NAME or len(self._told) >= _MOST_NAMES:
            return
        self._told.add(name)
        log.warning(
            "a request names the model %s, which is not known here and was answered with 404: to have it answered, "
            "write the line %s = %s, or another known model, under [aliases] in the configuration file",
            json.dumps(name),
            json.dumps(name),
            json.dumps(self._names.default),
        )

    def model_id(self, profile: Profile, name: str | None = None) -> str:
        """The id of the served model that is the first choice for a profile (asked for by `name`)."""
        return self._names.targets(profile, name)[0]


def _unknown(name: str) -> ApiError:
    return ApiError("not_found_error", f"model: {name}")
