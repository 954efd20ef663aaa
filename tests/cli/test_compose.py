"""What the settings become in the composition: keys that seal thinking, and the families of models."""

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from antiphon.cli.main import program
from antiphon.compose import assembly, probes, start
from antiphon.compose.observer import StartError
from antiphon.config import ConfigError, ModelSettings, NetworkSettings, Settings, ThinkingSettings
from antiphon.seals import Seals, Thought
from antiphon.service.served import ModelRoutes

KEY = bytes(range(32))
SIGNATURE = Seals([KEY]).seal(Thought("text", "model", 1, "shown"), bytes(12))


class Watching:
    """Somebody who watches a start and remembers nothing."""

    def stage(self, text: str) -> None: ...
    def download(self, name: str, done: int, total: int | None) -> None: ...
    def found(self, model: str, url: str, findings: object) -> None: ...
    def offering(self, tools: Sequence[str]) -> None: ...
    def listening(self, url: str, model_names: Sequence[str], *, keyed: bool) -> None: ...
    def draining(self, open_requests: int) -> None: ...


def scripted(folder: Path, families: Mapping[str, str | None]) -> dict[str, ModelSettings]:
    """Models that answer from a script, by id, with their families."""
    script = folder / "replies.toml"
    script.write_text('[[reply]]\ntext = "Hello."\n')
    return {id_: ModelSettings(id_, f"script:{script}", family=family) for id_, family in families.items()}


def composed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[ModelRoutes, Seals]:
    """What the app would be built of: the server starts its models and stops there."""
    given: list[Any] = []

    def stop(
        settings: Settings,
        routes: ModelRoutes,
        clock: object,
        entropy: object,
        seals: Seals,
        *more: object,
        **stores: object,
    ) -> None:
        given.extend((routes, seals))
        raise StartError("far enough")

    monkeypatch.setattr(assembly, "services_for", stop)
    with pytest.raises(StartError, match="far enough"):
        start.run_server(settings, Watching())
    return given[0], given[1]


@pytest.mark.promise("thinking.keys-outlive-the-process")
def test_the_app_is_built_with_the_keys_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "thinking.key"
    path.write_text(base64.b64encode(KEY).decode())
    models = scripted(tmp_path, {"a": None})
    settings = Settings(port=0, default_model="a", models=models, thinking=ThinkingSettings(key_file=str(path)))
    assert composed(settings, monkeypatch)[1].open(SIGNATURE) is not None


def test_a_file_of_other_things_than_keys_stops_the_start_before_a_model_is_loaded(tmp_path: Path):
    path = tmp_path / "thinking.key"
    path.write_text("hush")
    settings = Settings(port=0, thinking=ThinkingSettings(key_file=str(path)))
    with pytest.raises(StartError, match=r"thinking\.key: line 1: this is base64 of 3 bytes"):
        start.run_server(settings, Watching())
    assert probes.describe_keys(settings).wrong.startswith(f"{path}: line 1")


@pytest.mark.promise("config.family")
def test_a_model_is_served_as_one_of_the_family_that_its_table_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    models = scripted(tmp_path, {"a": "hermes", "b": "universal", "c": None})
    keys = ThinkingSettings(keys=(KEY,))
    routes, _ = composed(Settings(port=0, default_model="a", models=models, thinking=keys), monkeypatch)
    told = {id_: served.prompts.family.name for id_, served in routes.served.items()}
    assert told == {"a": "hermes", "b": "universal", "c": "universal"}


@pytest.mark.promise("config.names-the-wrong-setting")
def test_an_unknown_family_is_named_with_the_nearest_and_with_all(tmp_path: Path):
    settings = Settings(port=0, default_model="a", models=scripted(tmp_path, {"a": "qwen3-codr"}))
    words = (
        r"^\[models\.a\] family: 'qwen3-codr' is not a family of models; did you mean 'qwen3-coder'\? \(allowed: .*"
    )
    with pytest.raises(ConfigError, match=words + r"hermes.*universal\)$"):
        start.run_server(settings, Watching())


@pytest.mark.promise("config.names-the-wrong-setting")
@pytest.mark.parametrize(("command", "code"), [("models", 2), ("doctor", 1)])
def test_the_commands_find_an_unknown_family_too(
    command: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in [name for name in os.environ if name.startswith("ANTIPHON_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "antiphon.toml").write_text('[models.a]\nsource = "script:a.toml"\nfamily = "hermez"\n')
    result = CliRunner().invoke(program, [command], prog_name="antiphon", catch_exceptions=False)
    assert result.exit_code == code
    assert "[models.a] family: 'hermez' is not a family of models; did you mean 'hermes'?" in result.output


@pytest.mark.promise("config.names-the-wrong-setting")
def test_certificates_that_cannot_be_read_stop_the_start_before_a_model_is_loaded(tmp_path: Path):
    missing = tmp_path / "authorities.pem"
    keys = ThinkingSettings(keys=(KEY,))
    settings = Settings(port=0, thinking=keys, network=NetworkSettings(ca_file=str(missing)))
    with pytest.raises(StartError, match=r"^network_ca_file: the certificates in .*authorities\.pem cannot be read"):
        start.run_server(settings, Watching())
