"""The server's settings: frozen values, parsed from plain mappings. Nothing here reads a file or the environment.

    settings   the values themselves
    network    hosts that the server may go to, and how
    keys       keys that seal thinking, as people write them down
    kinds      what a value may be, and how text becomes one
    options    the one table of options: flags, variables, TOML keys, defaults and meanings all come from it
    models     which models are served: `[models.*]`, `--model` and its sources
    parse      flags, environment and TOML to `Settings`

Precedence, highest first: command-line flag, environment (`ANTIPHON_…`), TOML file, default.
"""

from antiphon.config.network import NetworkSettings
from antiphon.config.options import MODEL_OPTIONS, OPTIONS, Option
from antiphon.config.parse import parse_settings
from antiphon.config.settings import (
    BUILTIN_SAMPLING,
    DEFAULT_MODEL,
    ConfigError,
    MediaSettings,
    ModelSettings,
    SamplingSettings,
    Settings,
    ThinkingSettings,
    TurnLimits,
)

__all__ = [
    "BUILTIN_SAMPLING",
    "DEFAULT_MODEL",
    "MODEL_OPTIONS",
    "OPTIONS",
    "ConfigError",
    "MediaSettings",
    "ModelSettings",
    "NetworkSettings",
    "Option",
    "SamplingSettings",
    "Settings",
    "ThinkingSettings",
    "TurnLimits",
    "parse_settings",
]
