"""What the core is given from outside: clock, dice, seals, the network, files' readers, server tools."""

import logging
import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.compose.observer import StartError
from antiphon.config import MEMORY, OFF, ModelSettings, Settings
from antiphon.config.tables.limits import IN_PROCESS
from antiphon.console import Page, console_pages
from antiphon.media.available import INSTALL, READING_MEMORY, can_read
from antiphon.media.reader import Bounds, Reader
from antiphon.network import GuardedFetcher
from antiphon.ports.engine import Engine
from antiphon.ports.mcp import McpConnector
from antiphon.ports.server_tools import ServerTools
from antiphon.ports.system import Clock, Entropy
from antiphon.ports.threads import ThreadStore
from antiphon.seals import Seals
from antiphon.service.guard.guard import OwnersGuard
from antiphon.service.guard.judge import Judge
from antiphon.service.guard.rules import Rules
from antiphon.service.limits import Limiter
from antiphon.service.served import ServedModel
from antiphon.stores import keyfile
from antiphon.stores.caching import MemoryLedger
from antiphon.stores.keyfile import KeyFileError
from antiphon.stores.limits import MemoryBuckets
from antiphon.stores.threads import MemoryThreads
from antiphon.tools.mcp.connector import Connector
from antiphon.tools.offered import Surroundings, tools_for
from antiphon.tools.own import ToolsError
from antiphon.tools.tool_search import tool_searches

if TYPE_CHECKING:
    from antiphon.network.streaming import GuardedHosts
    from antiphon.stores.redis_caching import RedisLedger
    from antiphon.tools.mcp.session import Ways

log = logging.getLogger(__name__)


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()


class SystemEntropy:
    """The machine's dice."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return os.urandom(count)


def seals_for(settings: Settings, entropy: Entropy) -> Seals:
    """The seals on thinking; the first start makes the file with their key. Raises `StartError`."""
    return Seals(keys_for(settings, entropy))


def keys_for(settings: Settings, entropy: Entropy) -> tuple[bytes, ...]:
    """The keys of these seals. Raises `StartError`."""
    try:
        return keyfile.keys_for(settings.thinking, entropy, os.environ)
    except KeyFileError as problem:
        raise StartError(str(problem)) from problem


def server_tools(settings: Settings, around: Surroundings) -> ServerTools:
    """The tools that run inside the server: those of the settings, those that are there without a word about
    them, and those that need nothing. Who gets them closes them. `StartError`."""
    given = settings.server_tools
    try:
        return ServerTools((*tools_for(given.offered(), around, given.by_default), *tool_searches()))
    except ToolsError as problem:
        raise StartError(str(problem)) from problem


def pages_for(settings: Settings) -> Mapping[str, Page]:
    """The pages of the console by their paths; none where the settings switch it off."""
    return console_pages() if settings.console else {}


def cache_directory(settings: Settings) -> Path | None:
    """Where files of marked prefixes are; None: nowhere."""
    given = settings.prompt_cache
    if not given.keep or not given.files:
        return None
    if given.directory is not None:
        return Path(given.directory).expanduser()
    try:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # this user has no home
        return None
    return caches / "antiphon" / "prompts"


def shared_ledger(settings: Settings, own: MemoryLedger) -> "RedisLedger | None":
    """What all servers know of cached prefixes that share the store of message threads; who gets it closes it. `own`:
    what this process knows. None: it is alone with that."""
    given = settings.message_threads
    if given.store in (OFF, MEMORY):
        return None
    from antiphon.stores.redis_caching import RedisLedger  # see `threads_for`, which was called before

    return RedisLedger(given.store, own)


def limiter_for(settings: Settings, clock: Clock, organization: str) -> Limiter:
    """Who keeps callers to the limits of the settings, of which there may be none yet; who gets it closes it.
    `StartError`."""
    rules, store = settings.limits, settings.limit_store.store
    if store == IN_PROCESS:
        return Limiter(rules, MemoryBuckets(clock), clock, organization)
    try:
        # Who shares no store has not installed its client.
        from antiphon.stores.redis_limits import RedisBuckets

        return Limiter(rules, RedisBuckets(store), clock, organization)
    except ImportError as problem:
        raise StartError(f"limits_store: {problem}. Run: {sys.executable} -m pip install 'redis>=8'") from None
    except ValueError as problem:
        raise StartError(f"limits_store: {problem}") from problem


def guard_for(settings: Settings, served: Mapping[str, ServedModel], clock: Clock) -> OwnersGuard:
    """Who may decline requests and replies, as the settings say; it may have no rules yet. Raises `ConfigError`."""
    given = settings.guard_model
    judge = None if given.model is None else Judge(served[given.model], given.policy, clock)
    return OwnersGuard(Rules(settings.guard), judge, given)


def threads_for(settings: Settings, clock: Clock, entropy: Entropy, seals: Seals) -> ThreadStore | None:
    """Where conversations of message threads are kept; who gets it closes it. None: nowhere. Raises `StartError`."""
    given = settings.message_threads
    if given.store == OFF:
        return None
    if given.store == MEMORY:
        return MemoryThreads(clock, given.lifetime, given.memory)
    try:
        # Who shares no store has not installed its client.
        from antiphon.stores.redis_threads import RedisThreads

        return RedisThreads(given.store, given.lifetime, seals, entropy)
    except ImportError as problem:
        raise StartError(
            f"message_threads_store: {problem}. Run: {sys.executable} -m pip install 'redis>=8'"
        ) from None
    except ValueError as problem:
        raise StartError(f"message_threads_store: {problem}") from problem


def reader_for(settings: Settings) -> Reader:
    """The worker processes that read images, PDFs and pages; who gets them closes them."""
    return Reader(Bounds(workers=settings.media.workers, memory=settings.media.memory))


def reads_pictures(model: ModelSettings, engine: Engine, memory: int, *, quiet: bool = False) -> bool:
    """Whether pictures are described to a model by workers of so much memory; the owner is told where not, unless
    another process does (`quiet`)."""
    if engine.card.sees or model.images == "refuse":
        return False
    level = logging.DEBUG if quiet else logging.WARNING
    if not can_read():
        log.log(
            level,
            "model %s: pictures are refused, since what reads text in them is not installed. To have them read: %s. "
            'Or say images = "refuse", and this is not said again.',
            model.id,
            INSTALL,
        )
        return False
    if memory < READING_MEMORY:
        log.log(
            level,
            "model %s: pictures are refused, since reading text in them takes workers of %d bytes, and memory in "
            '[media] is %d. Raise it, or say images = "refuse", and this is not said again.',
            model.id,
            READING_MEMORY,
            memory,
        )
        return False
    return True


def fetcher_for(settings: Settings) -> GuardedFetcher:
    """The way to other hosts, behind the guard; who gets it closes it. Raises `StartError`."""
    try:
        return GuardedFetcher(settings.network)
    except OSError as problem:
        path = settings.network.ca_file
        raise StartError(f"network_ca_file: the certificates in {path} cannot be read: {problem}") from problem


@asynccontextmanager
async def connector_for(settings: Settings) -> AsyncGenerator[McpConnector | None]:
    """The way to MCP servers, under the guard of all ways out; None: the owner wants none."""
    if not settings.mcp.enabled:
        yield None
        return
    made: list[GuardedHosts] = []

    def ways() -> "Ways":
        from antiphon.network.streaming import GuardedHosts  # its library is for who speaks to such servers

        made.append(GuardedHosts(settings.network))
        return made[-1].transport

    try:
        yield Connector(settings.mcp, ways)
    finally:
        for hosts in made:
            await hosts.aclose()
