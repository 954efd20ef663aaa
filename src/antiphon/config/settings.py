"""The settings as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Literal

from antiphon.config.tables.batches import BatchSettings
from antiphon.config.tables.fallbacks import FallbackSettings
from antiphon.config.tables.files import FileSettings
from antiphon.config.tables.guard import GuardRule, GuardSettings
from antiphon.config.tables.limits import LimitRule, LimitStore
from antiphon.config.tables.mcp import McpSettings
from antiphon.config.tables.media import MediaSettings
from antiphon.config.tables.message_threads import ThreadSettings
from antiphon.config.tables.models import BUILTIN_SAMPLING, ModelSettings
from antiphon.config.tables.network import NetworkSettings
from antiphon.config.tables.otel import OtelSettings
from antiphon.config.tables.prices import OtherPrices, Price
from antiphon.config.tables.prompt_cache import CacheSettings
from antiphon.config.tables.sandbox import SandboxSettings
from antiphon.config.tables.server_tools import ToolSettings, TurnLimits
from antiphon.config.tables.skills import SkillSettings
from antiphon.config.tables.stores import StoreSettings
from antiphon.config.tables.thinking import ThinkingSettings
from antiphon.config.tables.tls import TlsSettings
from antiphon.config.tables.usage import UsageSettings

DEFAULT_MODEL = "smollm2-135m-instruct"

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a server is started with.

    `models` holds every model to serve by id; `default_model` answers for all profiles and aliases that
    `routes` (API model name or pattern → model ids, first choice first) does not send elsewhere. `profiles` is the
    raw `[profiles.*]` and `[aliases]` data for the catalogue. Times are in seconds, sizes in bytes.
    """

    host: str = "127.0.0.1"
    port: int = 8484
    workers: int = 1
    api_keys: tuple[str, ...] = ()
    require_keys: bool = False
    metrics_keys: tuple[str, ...] = ()
    strict_betas: bool = False
    extended_schemas: bool = False
    accommodations: bool = True
    console: bool = True
    default_model: str = DEFAULT_MODEL
    models: Mapping[str, ModelSettings] = field(
        default_factory=lambda: {DEFAULT_MODEL: ModelSettings(DEFAULT_MODEL, "builtin", sampling=BUILTIN_SAMPLING)}
    )
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    tls: TlsSettings = field(default_factory=TlsSettings)
    thinking: ThinkingSettings = field(default_factory=ThinkingSettings)
    message_threads: ThreadSettings = field(default_factory=ThreadSettings)
    stores: StoreSettings = field(default_factory=StoreSettings)
    batches: BatchSettings = field(default_factory=BatchSettings)
    limits: tuple[LimitRule, ...] = ()
    limit_store: LimitStore = field(default_factory=LimitStore)
    guard: tuple[GuardRule, ...] = ()
    guard_model: GuardSettings = field(default_factory=GuardSettings)
    fallbacks: FallbackSettings = field(default_factory=FallbackSettings)
    usage: UsageSettings = field(default_factory=UsageSettings)
    prices: tuple[Price, ...] = ()
    other_prices: OtherPrices = field(default_factory=OtherPrices)
    prompt_cache: CacheSettings = field(default_factory=CacheSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    files: FileSettings = field(default_factory=FileSettings)
    skills: SkillSettings = field(default_factory=SkillSettings)
    turn: TurnLimits = field(default_factory=TurnLimits)
    server_tools: ToolSettings = field(default_factory=ToolSettings)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    mcp: McpSettings = field(default_factory=McpSettings)
    otel: OtelSettings = field(default_factory=OtelSettings)
    ping_after: float = 10.0
    commit_after: float = 0.5
    ready_timeout: float = 30.0
    drain_timeout: float = 20.0
    keep_alive: float = 75.0
    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    max_body: int = 32 * 1024 * 1024
    log_level: LogLevel = "info"
    log_format: LogFormat = "text"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
