"""The projector of the settings reaches the engine, and one that cannot be had is told before anything is loaded."""

from pathlib import Path

import pytest

from antiphon.compose import models, start
from antiphon.compose.observer import StartError
from antiphon.config import ModelSettings, Settings, ThinkingSettings
from tests.cli.test_compose import KEY, Watching, composed
from tests.engines.seeing import projector_file
from tests.engines.shallow import shallow_path


def with_projector(projector: str | None) -> Settings:
    model = ModelSettings("a", str(shallow_path()), context=256, projector=projector)
    return Settings(port=0, default_model="a", models={"a": model}, thinking=ThinkingSettings(keys=(KEY,)))


@pytest.mark.promise("config.projector")
def test_a_model_sees_with_the_projector_that_its_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    routes, _ = composed(with_projector(str(projector_file(tmp_path))), monkeypatch)
    assert routes.served["a"].engine.card.sees


@pytest.mark.promise("config.projector")
def test_a_projector_that_is_not_there_is_told(tmp_path: Path):
    settings = with_projector(str(tmp_path / "mmproj.gguf"))
    (described,) = models.describe_models(settings)
    assert "there is no such projector file" in (described.problem or "")
    with pytest.raises(StartError, match=r"model a: .*there is no such projector file"):
        start.run_server(settings, Watching())
