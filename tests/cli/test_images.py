"""Whether pictures are read for a model, as its settings and the installation have it."""

from dataclasses import replace

import pytest

from antiphon.compose import edges
from antiphon.config.tables.media import MediaSettings
from antiphon.config.tables.models import ModelSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.media.available import READING_MEMORY
from antiphon.ports.engine import ModelCard

READ, REFUSE = ModelSettings("m", "builtin"), ModelSettings("m", "builtin", images="refuse")
ENOUGH = MediaSettings().memory


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
    assert edges.reads_pictures(READ, Engine(sees=False), ENOUGH)
    assert not edges.reads_pictures(REFUSE, Engine(sees=False), ENOUGH)
    assert not edges.reads_pictures(READ, Engine(sees=True), ENOUGH)


@pytest.mark.promise("vision.described-or-refused")
def test_where_nothing_reads_pictures_the_owner_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(edges, "can_read", lambda: False)
    assert not edges.reads_pictures(REFUSE, Engine(sees=False), ENOUGH)
    assert caplog.text == ""
    assert not edges.reads_pictures(READ, Engine(sees=False), ENOUGH)
    assert "pip install --no-deps rapidocr" in caplog.text


@pytest.mark.promise("vision.described-or-refused")
def test_where_workers_have_too_little_memory_to_read_the_owner_is_told_how_much_it_takes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert edges.reads_pictures(READ, Engine(sees=False), READING_MEMORY)
    assert not edges.reads_pictures(REFUSE, Engine(sees=False), READING_MEMORY - 1)
    assert caplog.text == ""
    assert not edges.reads_pictures(READ, Engine(sees=False), READING_MEMORY - 1)
    assert f"workers of {READING_MEMORY} bytes, and memory in [media] is {READING_MEMORY - 1}" in caplog.text
