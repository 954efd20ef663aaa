"""The name of a model is another one for every other file, and is not made twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.engines.llamacpp.kept import identity
from antiphon.engines.llamacpp.kept.identity import identity_of


@pytest.mark.promise("cache.kept-between-starts")
def test_a_model_is_told_by_every_byte_of_every_file_and_by_its_context(tmp_path: Path) -> None:
    one, two = tmp_path / "1.gguf", tmp_path / "2.gguf"
    one.write_bytes(b"a" * 100)
    two.write_bytes(b"b" * 100)
    names = {identity_of(files, 100, tmp_path) for files in ([one], [two], [one, two], [two, one])}
    names.add(identity_of([one], 200, tmp_path))
    assert len(names) == 5
    one.write_bytes(b"a" * 99 + b"c")
    assert identity_of([one], 100, tmp_path) not in names


def test_a_file_is_read_once_and_what_was_remembered_may_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"a" * 100)
    name = identity_of([model], 100, tmp_path)
    read: list[Path] = []
    digest: Callable[[Path], str] = vars(identity)["_digest"]

    def noted(file: Path) -> str:
        read.append(file)
        return digest(file)

    monkeypatch.setattr(identity, "_digest", noted)
    assert identity_of([model], 100, tmp_path) == name
    assert read == []
    for said in ("", "[1]", '{"x": 1}'):
        (tmp_path / "models.json").write_text(said)
        assert identity_of([model], 100, tmp_path) == name
    assert read == [model] * 3
    with pytest.raises(OSError, match="No such file"):
        identity_of([tmp_path / "gone.gguf"], 100, tmp_path)
