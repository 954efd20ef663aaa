"""The tables of the TOML file, a module each: the value that `Settings` holds, beside it the options that say it."""

from typing import Final

from antiphon.config.option import Table
from antiphon.config.tables.batches import BATCHES
from antiphon.config.tables.fallbacks import FALLBACKS
from antiphon.config.tables.files import FILES
from antiphon.config.tables.guard import GUARD
from antiphon.config.tables.limits import LIMITS
from antiphon.config.tables.mcp import MCP
from antiphon.config.tables.media import MEDIA
from antiphon.config.tables.message_threads import MESSAGE_THREADS
from antiphon.config.tables.models import MODELS
from antiphon.config.tables.names import ALIASES, PROFILES, ROUTES
from antiphon.config.tables.network import NETWORK
from antiphon.config.tables.otel import OTEL
from antiphon.config.tables.prices import PRICES
from antiphon.config.tables.prompt_cache import PROMPT_CACHE
from antiphon.config.tables.sandbox import SANDBOX
from antiphon.config.tables.server_tools import SERVER_TOOLS
from antiphon.config.tables.skills import SKILLS
from antiphon.config.tables.stores import STORES
from antiphon.config.tables.thinking import THINKING
from antiphon.config.tables.tls import TLS
from antiphon.config.tables.usage import USAGE

TABLES: Final[tuple[Table, ...]] = (
    MODELS,
    ROUTES,
    ALIASES,
    PROFILES,
    TLS,
    THINKING,
    MESSAGE_THREADS,
    STORES,
    BATCHES,
    LIMITS,
    GUARD,
    FALLBACKS,
    USAGE,
    PRICES,
    PROMPT_CACHE,
    NETWORK,
    MEDIA,
    FILES,
    SKILLS,
    SERVER_TOOLS,
    SANDBOX,
    MCP,
    OTEL,
)
"""In the order in which errors, the command line and docs/configuration.md tell of them."""
