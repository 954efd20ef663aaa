"""SIGHUP: the configuration is read again, and what may change while the server runs is changed.

Nothing that is open is lost. A configuration that is wrong changes nothing, and the log says what is wrong with it.
Models take their time: they are exchanged in the background, see `compose.fleet`.
"""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, Final

from antiphon.compose.assembly import Ground
from antiphon.compose.edges import pages_for
from antiphon.compose.fleet import OF_MODELS, Fleet
from antiphon.compose.listening import tls_of
from antiphon.compose.models import families, load_catalogue
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
    """Reads the configuration again when it is told to. `apply`: changes the settings of who answers. `fleet`: the
    models that may be exchanged; None: they are those of the start."""

    def __init__(
        self, settings: Settings, reread: Reread, apply: Callable[[Changes], None], fleet: Fleet | None = None
    ) -> None:
        self._settings = settings
        self._reread = reread
        self._apply = apply
        self._fleet = fleet

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
            changes, left = told_apart(self._settings, found, () if self._fleet is None else OF_MODELS)
            changed = replace(self._settings, **changes)
            tls_of(changed)
            Rules(changed.guard)
            if self._fleet is not None:
                families(found)
                load_catalogue(found)
            self._apply(changes)
        except (ConfigError, StartError, TlsError) as problem:
            log.error("the configuration stays as it was: %s", problem)
            return
        self._settings = changed
        told = [*changes]
        if self._fleet is not None and self._fleet.want(found):
            told.append("models, as soon as they are there")
        log.info("the configuration was read again: %s", ", ".join(told) or "nothing in it has changed")
        for text in left:
            log.warning("the configuration was read again, and the next start will heed: %s", text)


def told_apart(now: Settings, found: Settings, apart: Collection[str] = ()) -> tuple[Changes, list[str]]:
    """What changes, and what would take a start to change, in words. `apart`: what somebody else looks after."""
    changes: dict[str, Any] = {}
    left: list[str] = []
    for name in (field.name for field in fields(Settings)):
        before, after = getattr(now, name), getattr(found, name)
        if before == after or name in apart:
            continue
        if name == "models":
            left.append(f"models: {_models(before, after)}")
        elif name not in CHANGES or (name == "tls" and (before.cert is None) != (after.cert is None)):
            left.append(name)
        else:
            changes[name] = after
    return changes, left


def _models(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    said = {
        "new": [name for name in after if name not in before],
        "gone": [name for name in before if name not in after],
        "other": [name for name in after if name in before and before[name] != after[name]],
    }
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in said.items() if names)


class Live:
    """One process that answers, and the settings by which it does. `tls`: what its connections are made with."""

    def __init__(self, ground: Ground, door: Door, tls: ssl.SSLContext | None) -> None:
        self._ground = ground
        self._door = door
        self._tls = tls
        self._settings = ground.settings
        self._services: Services | None = None

    def open(self, services: Services) -> None:
        """Answer with these."""
        self._services = services
        self._heed()
        self._ground.fleet.open(self.change)

    def change(self, changes: Changes) -> None:
        """Answer the next request by other settings. Raises `TlsError`."""
        self._settings = replace(self._settings, **changes)
        tls = self._settings.tls
        if self._tls is not None and tls.cert is not None:
            load(self._tls, tls.cert, tls.key)
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
