"""Which engine answers for which model name."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Final

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

    def target(self, profile: Profile) -> Target:
        """What requests have to know of this model where it answers under the profile's rules.

        The window is the smaller of the promise and the engine's room.
        """
        card = self.engine.card
        thinker: Thinker = "universal" if self.prompts.family.thought == UNIVERSAL_THOUGHT else "native"
        name, own = card.name or card.id, profile.id == card.id
        return Target(profile, min(profile.window, card.window), name, card.sees, thinker, own, self.reads)


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

    def __init__(
        self, catalogue: Catalogue, served: Mapping[str, ServedModel], default: str, routes: Mapping[str, str]
    ) -> None:
        self.catalogue = catalogue
        self.served = dict(served)
        self.default = default
        self.routes = dict(routes)
        self.wide = catalogue.wide_names()
        self.resolved: dict[str, tuple[Target, ServedModel]] = {}

    def model_id(self, profile: Profile, name: str | None = None) -> str:
        """The id of the served model that answers for a profile (asked for by `name`)."""
        if profile.id in self.served:
            return profile.id
        return self.routes.get(name or profile.id) or self.routes.get(profile.id) or self.default


class ModelRoutes:
    """Resolves the names that clients use, by what the settings say now.

    A model that is served answers under its own id; every other name of the catalogue goes where `routes` sends
    it (by the name used, else by the profile's id), and to the default model otherwise. `holds`: the requests that
    may still need a model of before.
    """

    def __init__(
        self, catalogue: Catalogue, served: Mapping[str, ServedModel], default: str, routes: Mapping[str, str]
    ) -> None:
        self.holds = Holds()
        self._told: set[str] = set()
        self.become(catalogue, served, default, routes)

    def become(
        self, catalogue: Catalogue, served: Mapping[str, ServedModel], default: str, routes: Mapping[str, str]
    ) -> None:
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

    def resolve(self, name: str, allowed: Allowed = None) -> tuple[Target, ServedModel]:
        """The target of a model name, and the model; raises the API's 404 for a name that nobody promised, or that is
        not `allowed`."""
        names = self._names  # this may run in a thread, and others come meanwhile
        resolved = names.resolved.get(name)
        if resolved is None:
            profile = self._promised(names, name)
            served = names.served[names.model_id(profile, name)]
            # Only names of the catalogue come to here: there are no more of them than it has.
            resolved = names.resolved[name] = served.target(profile), served
        if not may_ask(allowed, name, resolved[0].profile):
            raise _unknown(name)
        return resolved

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
        """The id of the served model that answers for a profile (asked for by `name`)."""
        return self._names.model_id(profile, name)


def _unknown(name: str) -> ApiError:
    return ApiError("not_found_error", f"model: {name}")
