"""The server's settings: frozen values, parsed from plain mappings. Nothing here reads a file or the environment.

    settings   the values themselves
    tables     the tables of the file, a module each: the value, and the options that say it
    options    the one list of options: flags, variables, TOML keys, defaults and meanings all come from it
    option     what an option and a table are
    kinds      what a value may be, and how text becomes one
    keys       keys that seal thinking, as people write them down
    visitors   who may ask: names of the server, origins of pages
    remote     models in engines that somebody else runs
    short      models that have a short name
    models     which models are served: `--model`, its sources and the tables of models
    reading    what a file says, and what it is told when that is wrong
    parse      flags, environment and TOML to `Settings`

Precedence, highest first: command-line flag, environment (`ANTIPHON_…`), TOML file, default.
"""

from antiphon.config.kinds import AllowedHost
from antiphon.config.option import Option, Table
from antiphon.config.options import OPTIONS
from antiphon.config.parse import parse_settings
from antiphon.config.reading import ConfigError
from antiphon.config.remote import EngineName, RemoteSettings
from antiphon.config.settings import DEFAULT_MODEL, Settings
from antiphon.config.tables import TABLES
from antiphon.config.tables.batches import BatchSettings
from antiphon.config.tables.fallbacks import FallbackSettings
from antiphon.config.tables.files import FileSettings
from antiphon.config.tables.guard import GuardRule, GuardSettings
from antiphon.config.tables.limits import LimitRule, LimitStore
from antiphon.config.tables.mcp import McpSettings
from antiphon.config.tables.media import MediaSettings
from antiphon.config.tables.message_threads import MEMORY, OFF, ThreadSettings
from antiphon.config.tables.models import BUILTIN_SAMPLING, MODEL_OPTIONS, ModelSettings, SamplingSettings
from antiphon.config.tables.network import NetworkSettings
from antiphon.config.tables.prices import OtherPrices, Price
from antiphon.config.tables.prompt_cache import CacheSettings
from antiphon.config.tables.sandbox import ANY_SANDBOX, NO_SANDBOX, SandboxSettings
from antiphon.config.tables.server_tools import (
    WEB_FETCH_OPTIONS,
    WEB_SEARCH_OPTIONS,
    ToolSettings,
    TurnLimits,
    WebFetchSettings,
    WebSearchSettings,
)
from antiphon.config.tables.skills import SkillSettings
from antiphon.config.tables.stores import NOWHERE, StoreSettings
from antiphon.config.tables.thinking import Foreign, ThinkingSettings
from antiphon.config.tables.tls import TlsSettings
from antiphon.config.tables.usage import UsageSettings

__all__ = [
    "ANY_SANDBOX",
    "BUILTIN_SAMPLING",
    "DEFAULT_MODEL",
    "MEMORY",
    "MODEL_OPTIONS",
    "NOWHERE",
    "NO_SANDBOX",
    "OFF",
    "OPTIONS",
    "TABLES",
    "WEB_FETCH_OPTIONS",
    "WEB_SEARCH_OPTIONS",
    "AllowedHost",
    "BatchSettings",
    "CacheSettings",
    "ConfigError",
    "EngineName",
    "FallbackSettings",
    "FileSettings",
    "Foreign",
    "GuardRule",
    "GuardSettings",
    "LimitRule",
    "LimitStore",
    "McpSettings",
    "MediaSettings",
    "ModelSettings",
    "NetworkSettings",
    "Option",
    "OtherPrices",
    "Price",
    "RemoteSettings",
    "SamplingSettings",
    "SandboxSettings",
    "Settings",
    "SkillSettings",
    "StoreSettings",
    "Table",
    "ThinkingSettings",
    "ThreadSettings",
    "TlsSettings",
    "ToolSettings",
    "TurnLimits",
    "UsageSettings",
    "WebFetchSettings",
    "WebSearchSettings",
    "parse_settings",
]
