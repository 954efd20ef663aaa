"""Which engine answers for which model name."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from antiphon.dialogue.thinking import Thinker
from antiphon.errors import ApiError
from antiphon.ports.engine import Engine
from antiphon.profiles import Catalogue, Profile
from antiphon.render.families.syntax import UNIVERSAL_THOUGHT, Family
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.request.asked import Target
from antiphon.service.grammars import Grammars

log = logging.getLogger(__name__)

_MOST_NAMES: Final = 256

_LONGEST_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A running engine with what its model needs: prompts, grammars, the family that says how it calls tools.

    `reads`: pictures are described to the model where it does not see.
    """

    engine: Engine
    prompts: PromptBuilder
    grammars: Grammars
    reads: bool = False

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


class ModelRoutes:
    """Resolves the names that clients use.

    A model that is served answers under its own id; every other name of the catalogue goes where `routes` sends
    it (by the name used, else by the profile's id), and to the default model otherwise.
    """

    def __init__(
        self, catalogue: Catalogue, served: Mapping[str, ServedModel], default: str, routes: Mapping[str, str]
    ) -> None:
        self.catalogue = catalogue
        self.served = dict(served)
        self._default = default
        self._routes = dict(routes)
        self._told: set[str] = set()
        self._resolved: dict[str, tuple[Target, ServedModel]] = {}

    def resolve(self, name: str, allowed: Allowed = None) -> tuple[Target, ServedModel]:
        """The target of a model name, and the model; raises the API's 404 for a name that nobody promised, or that is
        not `allowed`."""
        resolved = self._resolved.get(name)
        if resolved is None:
            profile = self.promised(name)
            served = self.served[self.model_id(profile, name)]
            # Only names of the catalogue come to here: there are no more of them than it has.
            resolved = self._resolved[name] = served.target(profile), served
        if not may_ask(allowed, name, resolved[0].profile):
            raise _unknown(name)
        return resolved

    def promised(self, name: str, allowed: Allowed = None) -> Profile:
        """The profile of a name; raises the API's 404 where there is none, and tells the owner once how to add it;
        and where it is not `allowed`."""
        profile = self.catalogue.resolve(name)
        if profile is None:
            self._tell_of(name)
            raise _unknown(name)
        if not may_ask(allowed, name, profile):
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
            json.dumps(self._default),
        )

    def model_id(self, profile: Profile, name: str | None = None) -> str:
        """The id of the served model that answers for a profile (asked for by `name`)."""
        if profile.id in self.served:
            return profile.id
        return self._routes.get(name or profile.id) or self._routes.get(profile.id) or self._default


def _unknown(name: str) -> ApiError:
    return ApiError("not_found_error", f"model: {name}")
