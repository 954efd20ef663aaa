"""No test leaves a directory for what is saved behind."""

from collections.abc import Iterator

import pytest

from antiphon.engines.llamacpp.kept.staging import Staging


@pytest.fixture(autouse=True)
def staging_is_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever made one."""
    made: list[Staging] = []
    begin = Staging.__init__

    def noted(self: Staging) -> None:
        begin(self)
        made.append(self)

    monkeypatch.setattr(Staging, "__init__", noted)
    yield
    for staging in made:
        staging.close()
