"""What the wheel asks for is whole for every pip, also for one that takes the names of extras as they are spelled."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import metadata, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.arch.tree import ROOT


def direct() -> list[Requirement]:
    """What the project itself asks for, on this platform."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]
    return [one for one in wanted if one.marker is None or one.marker.evaluate()]


def lost() -> Iterator[str]:
    """What only a pip finds that knows `html_clean` to be `html-clean`, by its name."""
    todo, seen = direct(), set[str]()
    while todo:
        one = todo.pop()
        for extra in ("", *one.extras):
            if (place := f"{one.name}[{extra}]") in seen:
                continue
            seen.add(place)
            spelled = not extra or extra in (metadata(one.name).get_all("Provides-Extra") or ())
            for text in requires(one.name) or ():
                below = Requirement(text)
                marker = below.marker
                here = not extra if marker is None else marker.evaluate({"extra": canonicalize_name(extra)})
                if not here or (extra and marker is not None and marker.evaluate({"extra": ""})):
                    continue
                todo.append(below)
                if not spelled:
                    yield canonicalize_name(below.name)


@pytest.mark.promise("install.whole-for-every-pip")
def test_what_an_extra_of_another_spelling_brings_is_asked_for_by_name():
    assert set(lost()) <= {canonicalize_name(one.name) for one in direct()}
    assert "lxml-html-clean" in set(lost()), "no extra is spelled otherwise any more: this test can go"
