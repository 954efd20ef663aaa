"""A model is tried: loaded, read with and written with, and nothing of it is left."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from antiphon.config import ModelSettings
from antiphon.engines.llamacpp.embedded.trial import tried
from antiphon.engines.llamacpp.engine import load_of
from antiphon.errors import EngineFault
from tests.engines.shallow import shallow_file


@pytest.mark.promise("weights.form-by-measurement")
def test_each_model_is_timed_at_reading_and_writing():
    load = load_of(ModelSettings("tiny", "builtin"), shallow_file())
    before = {child.pid for child in psutil.Process().children()}
    for reading, writing in tried([load, load]):
        assert reading > 0
        assert writing > 0
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_file_that_is_no_model_cannot_be_tried(tmp_path: Path):
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(b"GGUF")
    load = load_of(ModelSettings("tiny", "builtin"), replace(shallow_file(), path=wrong))
    with pytest.raises(EngineFault, match=r"wrong\.gguf cannot be tried"):
        tried([load])
