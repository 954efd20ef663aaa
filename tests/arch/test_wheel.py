"""What an installed package holds: code, and the files that it reads."""

import pytest
from hatchling.builders.wheel import WheelBuilder

from antiphon.weights.builtin import ADAPTERS
from tests.arch.tree import ROOT, SOURCE, files


@pytest.mark.promise("adapter.default")
def test_the_wheel_holds_every_file_of_the_package():
    held = {included.distribution_path for included in WheelBuilder(str(ROOT)).recurse_included_files()}
    wanted = {path.relative_to(SOURCE.parent).as_posix() for path in files() if SOURCE in path.parents}
    assert {"antiphon/profiles/data.toml", "antiphon/clients/evals/chat.jsonl"} <= wanted
    assert wanted - held == set()


def test_adapters_lie_in_the_package():
    assert SOURCE in ADAPTERS.parents
