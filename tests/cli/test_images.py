"""Whether pictures are read for a model, as its settings and the installation have it."""

from dataclasses import replace

import pytest

from antiphon.compose import edges
from antiphon.config.tables.models import ModelSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.engine import ModelCard

READ, REFUSE = ModelSettings("m", "builtin"), ModelSettings("m", "builtin", images="refuse")


class Engine(ScriptedEngine):
    """A scripted model that sees, or does not."""

    def __init__(self, *, sees: bool) -> None:
        super().__init__("m", '[[reply]]\ntext = "Yes."\n')
        self._sees = sees

    @property
    def card(self) -> ModelCard:
        return replace(super().card, sees=self._sees)


@pytest.mark.promise("vision.described-or-refused")
def test_pictures_are_read_for_models_without_sight_unless_they_are_to_be_refused() -> None:
    assert edges.reads_pictures(READ, Engine(sees=False))
    assert not edges.reads_pictures(REFUSE, Engine(sees=False))
    assert not edges.reads_pictures(READ, Engine(sees=True))


@pytest.mark.promise("vision.described-or-refused")
def test_where_nothing_reads_pictures_the_owner_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(edges, "can_read", lambda: False)
    assert not edges.reads_pictures(REFUSE, Engine(sees=False))
    assert caplog.text == ""
    assert not edges.reads_pictures(READ, Engine(sees=False))
    assert "pip install --no-deps rapidocr" in caplog.text
