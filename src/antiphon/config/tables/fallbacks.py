"""`[fallbacks]`: which models may answer where another one has declined."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Texts
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class FallbackSettings:
    """`allowed`: patterns of the names of models that requests may name. `default`: the models that are asked, in
    this order, where a request leaves that to the server."""

    allowed: tuple[str, ...] = ("*",)
    default: tuple[str, ...] = ()


_PATTERNS: Final = Texts('a list of names or patterns of models, such as ["claude-opus-*"]', "PATTERN")

_NAMES: Final = Texts('a list of names of models, such as ["claude-opus-4-8"]', "NAME")

_key = partial(key_of, "fallbacks", FallbackSettings())

FALLBACKS: Final = Table(
    "fallbacks",
    "Who answers where [guard] declines for one model and the request has fallbacks. See docs/fallbacks.md.",
    FallbackSettings,
    (
        _key(
            "allowed", _PATTERNS, "The models that requests may name as fallbacks; they are listed with each model."
        ),
        _key(
            "default",
            _NAMES,
            'Those that are asked, in this order, where a request says "fallbacks": "default".',
            unset="none: who declines is not replaced",
        ),
    ),
)
