"""What can be said of this machine without serving: engine, keys, stores, server tools."""

import asyncio
import importlib.metadata
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

import orjson

from antiphon.compose import keys
from antiphon.compose.edges import SystemClock, SystemEntropy, cache_directory, reader_for, threads_for
from antiphon.compose.observer import StartError
from antiphon.compose.remote import Looked, look_at
from antiphon.compose.sandboxes import libraries_of, try_sandboxes
from antiphon.compose.stores import Trial, try_stores
from antiphon.config import Settings
from antiphon.config.keys import KEY_BYTES
from antiphon.ports.stores import StoreError
from antiphon.ports.threads import StoreGone
from antiphon.sandbox.choosing import NoSuchDriver, Tried
from antiphon.sandbox.libraries import installed
from antiphon.seals import Seals
from antiphon.stores import keyfile
from antiphon.stores.keyfile import KeysDescription
from antiphon.tools.offered import ToolCheck, check_tools

_PATIENCE: Final = 2.0

_MOST_SAID: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EngineProbe:
    """Whether the native engine can be used on this machine, and on which devices it would run."""

    importable: bool
    version: str
    devices: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class CacheProbe:
    """The files of kept prefixes: how many, their bytes, and why there can be none (None: there can). `running`: what
    the server that listens at the settings' address says of what it keeps, by model; empty where none answers."""

    directory: str
    files: int = 0
    size: int = 0
    problem: str | None = None
    running: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


def look_at_cache(settings: Settings) -> CacheProbe:
    """What is kept of marked prefixes, on the disk and in a server that runs."""
    from antiphon.engines.llamacpp.kept.files import prepare, states_in  # see `compose.engines`

    running, directory = _running_cache(settings), cache_directory(settings)
    if directory is None:
        return CacheProbe("", running=running)
    try:
        prepare(directory)
        sizes = [about.st_size for _, about in states_in(directory)]
    except OSError as problem:
        return CacheProbe(str(directory), problem=str(problem), running=running)
    return CacheProbe(str(directory), len(sizes), sum(sizes), running=running)


def answers_there(settings: Settings) -> bool:
    """Whether a server of this program answers where the settings say."""
    return _said(settings, "/").startswith(b"Antiphon ")


def _running_cache(settings: Settings) -> dict[str, dict[str, Any]]:
    try:
        health: Any = orjson.loads(_said(settings, "/health"))
        return {str(id_): dict(kept) for id_, kept in health["prompt_cache"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _said(settings: Settings, path: str) -> bytes:
    """What is answered there; nothing where nobody answers."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    try:
        connection = HTTPConnection(host, settings.port or 1, timeout=_PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().read(_MOST_SAID)
        finally:
            connection.close()
    except (OSError, HTTPException):
        return b""


def keys_made(settings: Settings) -> bool | None:
    """Whether a key for callers was ever made; None where the database does not tell."""
    try:
        return asyncio.run(keys.keys_made(settings))
    except (StoreError, OSError):
        return None


def describe_keys(settings: Settings) -> KeysDescription:
    """Which keys would seal thinking. Makes none."""
    return keyfile.describe_keys(settings.thinking, os.environ)


def probe_engine() -> EngineProbe:
    """Import the native engine and ask for its devices."""
    try:
        import xllamacpp

        native: Any = xllamacpp
        devices = tuple(str(device["description"]) for device in native.get_device_info())
    except Exception as problem:
        return EngineProbe(False, "", (), f"{type(problem).__name__}: {problem}")
    return EngineProbe(True, importlib.metadata.version("xllamacpp"), devices, "")


def thread_store_problem(settings: Settings) -> str | None:
    """Why message threads cannot be kept where the settings say; None where they can."""

    async def tried() -> str | None:
        store = threads_for(settings, SystemClock(), SystemEntropy(), Seals([bytes(KEY_BYTES)]))
        if store is None:
            return None
        try:
            await store.check()
        except StoreGone as problem:
            return str(problem)
        finally:
            await store.aclose()

    try:
        return asyncio.run(tried())
    except StartError as problem:
        return str(problem)


def trials_of_stores(settings: Settings) -> list[Trial]:
    """What comes of trying where files and batches are kept; empty where they are not."""
    return asyncio.run(try_stores(settings))


def trials_of_sandboxes(settings: Settings) -> tuple[Tried, ...]:
    """What comes of running something in each sandbox that the settings allow, up to the first that works."""
    try:
        return asyncio.run(try_sandboxes(settings))
    except NoSuchDriver as problem:
        return (Tried(settings.sandbox.driver, str(problem)),)


def libraries_installed(settings: Settings) -> bool:
    """Whether the Python libraries of sandboxes are there."""
    folder = libraries_of(settings)
    return folder is not None and installed(folder)


def look_at_engines(settings: Settings) -> dict[str, list[Looked]]:
    """What is at the URLs of each model that is in somebody else's engines, by the model's id."""

    async def looked() -> dict[str, list[Looked]]:
        return {id_: await look_at(model) for id_, model in settings.models.items() if model.remote is not None}

    return asyncio.run(looked())


def check_server_tools(settings: Settings) -> list[ToolCheck]:
    """Try each server tool that the settings offer, as far as that can be done without a conversation."""

    async def tried() -> list[ToolCheck]:
        reader = reader_for(settings)
        try:
            tools = settings.server_tools
            return await check_tools(tools.offered(), reader, settings.network.ca_file, tools.by_default)
        finally:
            await reader.aclose()

    return asyncio.run(tried())
