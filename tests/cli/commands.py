"""What the tests of the commands share: runs of the program with a composition that starts nothing."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from antiphon.cli.main import program
from antiphon.compose import models, probes, start
from antiphon.compose.observer import ServerObserver
from antiphon.compose.probes import CacheProbe, EngineProbe
from antiphon.compose.stores import Trial
from antiphon.config import Settings
from antiphon.stores.keyfile import KeysDescription
from antiphon.tools.offered import ToolCheck
from antiphon.weights.description import ModelDescription

PROBE = EngineProbe(importable=True, version="b1234", devices=("CPU",), detail="")
HERE = ModelDescription(
    id="smollm2-135m-instruct",
    source="builtin",
    path="/m/[q4]/smollm2.gguf",
    size_bytes=92_900_000,
    window=8192,
    problem=None,
    names=("claude-opus-4-8", "claude-haiku-4-5"),
    kv_bytes_per_token=23_040,
)


class Composition:
    """Stands in for `antiphon.compose`: notes what it was asked, answers what the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.settings: list[Settings] = []
        self.models: Sequence[ModelDescription] = (HERE,)
        self.probe = PROBE
        self.keys = KeysDescription("/state/thinking.key", count=1)
        self.failure: BaseException | None = None
        self.tools: Sequence[ToolCheck] = ()
        self.offered: Sequence[str] = ()
        self.store_problem: str | None = None
        self.trials: Sequence[Trial] = ()
        self.cache = CacheProbe("/cache/prompts")
        self.open_requests = 0
        self.keyed: bool | None = False
        for name in [name for name in os.environ if name.startswith("ANTIPHON_")]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(start, "run_server", self.run_server)
        monkeypatch.setattr(models, "describe_models", self.describe_models)
        monkeypatch.setattr(probes, "probe_engine", lambda: self.probe)
        monkeypatch.setattr(probes, "describe_keys", self.describe_keys)
        monkeypatch.setattr(probes, "keys_made", self.keys_made)
        monkeypatch.setattr(probes, "thread_store_problem", self.thread_store_problem)
        monkeypatch.setattr(probes, "trials_of_stores", self.trials_of_stores)
        monkeypatch.setattr(probes, "look_at_cache", self.look_at_cache)
        monkeypatch.setattr(probes, "check_server_tools", self.check_server_tools)

    def run_server(self, settings: Settings, observer: ServerObserver, **_: object) -> None:
        """A start, a moment of service, and a stop."""
        self.settings.append(settings)
        observer.stage("Finding the model")
        observer.download("model.gguf", 0, 100)
        observer.download("model.gguf", 100, 100)
        observer.offering(self.offered)
        observer.stage("Loading smollm2-135m-instruct")
        if self.failure is not None:
            raise self.failure
        names = ["claude-opus-4-8", "claude-haiku-4-5"]
        observer.listening("http://127.0.0.1:8484", names, keyed=bool(self.keyed or settings.api_keys))
        observer.draining(self.open_requests)

    def describe_models(self, settings: Settings) -> list[ModelDescription]:
        """The models that the test says are there."""
        self.settings.append(settings)
        return list(self.models)

    def describe_keys(self, settings: Settings) -> KeysDescription:
        """The keys that the test says are there."""
        return self.keys

    def keys_made(self, settings: Settings) -> bool | None:
        """Whether the test says that keys were made."""
        return self.keyed

    def thread_store_problem(self, settings: Settings) -> str | None:
        """What the test says of the store of message threads."""
        return self.store_problem

    def trials_of_stores(self, settings: Settings) -> list[Trial]:
        """What the test says of the stores of files and batches."""
        return list(self.trials)

    def look_at_cache(self, settings: Settings) -> CacheProbe:
        """What the test says of the files of kept prefixes."""
        return self.cache

    def check_server_tools(self, settings: Settings) -> list[ToolCheck]:
        """What the test says of the tools."""
        return list(self.tools)

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Result:
        """The program with these arguments."""
        return CliRunner().invoke(program, arguments, env=env, prog_name="antiphon", catch_exceptions=False)
