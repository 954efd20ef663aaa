"""The server's settings: frozen values, parsed from plain mappings. Nothing here reads a file or the environment.

    settings   the values themselves
    network    hosts that the server may go to, and how
    visitors   who may ask: names of the server, origins of pages
    keys       keys that seal thinking, as people write them down
    kinds      what a value may be, and how text becomes one
    options    the one table of options: flags, variables, TOML keys, defaults and meanings all come from it
    server_tools, tool_settings   tools that run inside the server: their options, and what those amount to
    models     which models are served: `[models.*]`, `--model` and its sources
    parse      flags, environment and TOML to `Settings`

Precedence, highest first: command-line flag, environment (`ANTIPHON_…`), TOML file, default.
"""

from antiphon.config.network import NetworkSettings
from antiphon.config.options import MODEL_OPTIONS, OPTIONS, Option
from antiphon.config.parse import parse_settings
from antiphon.config.server_tools import WEB_FETCH_OPTIONS, WEB_SEARCH_OPTIONS
from antiphon.config.settings import (
    BUILTIN_SAMPLING,
    DEFAULT_MODEL,
    ConfigError,
    Foreign,
    MediaSettings,
    ModelSettings,
    SamplingSettings,
    Settings,
    ThinkingSettings,
    TurnLimits,
)
from antiphon.config.tool_settings import ToolSettings, WebFetchSettings, WebSearchSettings

__all__ = [
    "BUILTIN_SAMPLING",
    "DEFAULT_MODEL",
    "MODEL_OPTIONS",
    "OPTIONS",
    "WEB_FETCH_OPTIONS",
    "WEB_SEARCH_OPTIONS",
    "ConfigError",
    "Foreign",
    "MediaSettings",
    "ModelSettings",
    "NetworkSettings",
    "Option",
    "SamplingSettings",
    "Settings",
    "ThinkingSettings",
    "ToolSettings",
    "TurnLimits",
    "WebFetchSettings",
    "WebSearchSettings",
    "parse_settings",
]
