"""SIGHUP: the configuration is read again, and what may change while the server runs is changed.

Nothing that is open is lost. A configuration that is wrong changes nothing, and the log says what is wrong with it.
Models take their time: they are exchanged in the background, see `compose.exchanging`.
"""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, Final

from antiphon.compose.assembly import Ground
from antiphon.compose.edges import pages_for
from antiphon.compose.exchanging import OF_MODELS, Exchanging
from antiphon.compose.listening import tls_of
from antiphon.compose.observer import StartError
from antiphon.compose.services import places_of
from antiphon.compose.terminals import is_gone
from antiphon.config import ConfigError, Settings
from antiphon.service.guard.rules import Rules
from antiphon.web.app import build_app
from antiphon.web.door import Door, Threshold
from antiphon.web.routes import Services
from antiphon.web.tls import TlsError, load

log = logging.getLogger(__name__)

CHANGES: Final = (
    *("api_keys", "require_keys", "metrics_keys", "limits", "guard"),
    *("cors_origins", "allowed_hosts", "trusted_proxies"),
    *("strict_betas", "ping_after", "commit_after", "log_level", "tls"),
)
"""The settings that may change; the others are those of the start until the next one."""

Reread = Callable[[], Settings]
"""Reads the configuration again; `ConfigError`."""

Changes = Mapping[str, Any]
"""New values of settings, by their names."""


class Reloading:
    """Reads the configuration again when it is told to. `apply`: changes the settings of who answers. `exchanging`:
    goes over to other models."""

    def __init__(
        self, settings: Settings, reread: Reread, apply: Callable[[Changes], None], exchanging: Exchanging
    ) -> None:
        self._settings = settings
        self._reread = reread
        self._apply = apply
        self._exchanging = exchanging

    @contextmanager
    def heeding(self) -> Generator[None]:
        """Do so at each SIGHUP within the block. Where a terminal is gone, it means what it always did: the end."""
        if not hasattr(signal, "SIGHUP"):
            yield
            return
        terminal = os.isatty(0)

        def heard() -> None:
            if terminal and is_gone(0):
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                self.reload()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, heard)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)

    def reload(self) -> None:
        """Read it again, now."""
        try:
            found = self._reread()
            changes, left = told_apart(self._settings, found)
            changed = replace(self._settings, **changes)
            tls_of(changed)
            Rules(changed.guard)
            self._exchanging.check(found)
            self._apply(changes)
        except (ConfigError, StartError, TlsError) as problem:
            log.error("the configuration stays as it was: %s", problem)
            return
        self._settings = changed
        told = [*changes]
        if self._exchanging.want(found):
            told.append("models, as soon as they are there")
        log.info("the configuration was read again: %s", ", ".join(told) or "nothing in it has changed")
        for text in left:
            log.warning("the configuration was read again, and the next start will heed: %s", text)


def told_apart(now: Settings, found: Settings) -> tuple[Changes, list[str]]:
    """What changes, and the names of what would take a start to change. Models are looked after by another."""
    changes: dict[str, Any] = {}
    left: list[str] = []
    for name in (field.name for field in fields(Settings)):
        before, after = getattr(now, name), getattr(found, name)
        if before == after or name in OF_MODELS:
            continue
        if name not in CHANGES or (name == "tls" and (before.cert is None) != (after.cert is None)):
            left.append(name)
        else:
            changes[name] = after
    return changes, left


class Live:
    """One process that answers, and the settings by which it does. `tls`: what its connections are made with."""

    def __init__(self, ground: Ground, door: Door, tls: ssl.SSLContext | None) -> None:
        self._ground = ground
        self._door = door
        self._tls = tls
        self._settings = ground.settings
        self._services: Services | None = None

    @property
    def settings(self) -> Settings:
        """Those of now."""
        return self._settings

    def open(self, services: Services) -> None:
        """Answer with these."""
        self._services = services
        self._heed()
        self._ground.fleet.open(self._become)

    def change(self, changes: Changes) -> None:
        """Answer the next request by other settings. Raises `TlsError`."""
        tls = replace(self._settings, **changes).tls
        if self._tls is not None and tls.cert is not None:
            load(self._tls, tls.cert, tls.key)
        self._become(changes)

    def _become(self, changes: Changes) -> None:
        self._settings = replace(self._settings, **changes)
        logging.getLogger().setLevel(self._settings.log_level.upper())
        self._door.replace(Threshold.of(self._settings, self._ground.seals.name))
        self._heed()

    def _heed(self) -> None:
        if self._services is None:
            return
        _heed(self._services, self._settings)
        self._door.open(build_app(self._settings, self._services, pages_for(self._settings)))


def _heed(services: Services, settings: Settings) -> None:
    """Let those who keep callers to something keep them to what the settings say now."""
    if services.limiter is not None:
        services.limiter.rules = tuple(settings.limits)
    for kept in (services.spending, services.enqueued):
        if kept is not None:
            kept.heed(settings.limits)
    if services.runner is not None:
        services.runner.resize(places_of(settings.models.values()))
    if services.guard is not None:
        services.guard.heed(settings.guard)
