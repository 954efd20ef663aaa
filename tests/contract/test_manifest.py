"""The manifest and the tests agree; and the tools that compare them notice when they do not."""

from pathlib import Path

import pytest

from antiphon.request.accommodations import ACCOMMODATIONS
from compatibility import files, overview, page
from generated import between
from manifest import Area, Citation, ManifestError, Promise, cited, load, missing, problems


def area(*promises: Promise, name: str = "stops") -> Area:
    return Area(name, "Stops", 1, promises)


def promise(id: str = "stops.truthful", reason: str | None = None) -> Promise:  # noqa: A002 - the field's name
    return Promise(id, "Stops are truthful.", "primer", reason)


def citation(id: str | None = "stops.truthful") -> Citation:  # noqa: A002
    return Citation(id, "tests/test_stops.py", 3)


def test_the_manifest_and_the_tests_agree():
    assert problems(load(), cited()) == []


def test_the_pages_made_from_the_manifest_are_current():
    stale = [path.name for path, text in files().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make docs`"


@pytest.mark.parametrize(
    ("areas", "citations", "problem"),
    [
        pytest.param([area(promise())], [], "no test cites it", id="neither test nor reason"),
        pytest.param([area(promise(reason="not built"))], [citation()], "needs no reason", id="test and reason"),
        pytest.param([area(promise(), promise())], [citation()], "listed twice", id="one id twice"),
        pytest.param(
            [area(promise()), area(promise(), name="other")], [citation()], "listed twice", id="one id in two files"
        ),
        pytest.param([], [citation()], "contract/ does not list", id="unknown id"),
        pytest.param([area(promise())], [citation(), citation(None)], "plain strings", id="computed id"),
        pytest.param([area(promise("other.x"))], [citation("other.x")], "an id here reads", id="id of another area"),
        pytest.param([area(promise("stops.A b"))], [citation("stops.A b")], "an id here reads", id="odd id"),
    ],
)
def test_a_disagreement_is_named(areas: list[Area], citations: list[Citation], problem: str):
    assert any(problem in found for found in problems(areas, citations))


def test_agreement_is_silent():
    areas = [area(promise(), promise("stops.later", reason="not built"))]
    assert problems(areas, [citation()]) == []


@pytest.mark.promise("clients.accommodations")
def test_the_page_lists_what_is_accepted_from_which_client_until_when_and_why():
    text = page([area(promise())], [citation()])
    for row in ACCOMMODATIONS:
        until = ".".join(map(str, row.before))
        assert f"| {row.client} before {until} | {row.accepted} | {row.why} |" in text
    assert "`accommodations = false`" in text


def test_marks_are_found_wherever_they_stand(tmp_path: Path):
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "deep" / "test_x.py").write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.promise('a.module')\n"
        "@pytest.mark.promise('a.one', 'a.two')\n"
        "def test_x(): ...\n"
        "CASES = [pytest.param(1, marks=pytest.mark.promise('a.case'))]\n"
        "NAME = 'a.name'\n"
        "@pytest.mark.promise(NAME)\n"
        "def test_y(): ...\n"
    )
    found = cited(tmp_path / "tests")
    assert sorted(str(it.id) for it in found) == ["None", "a.case", "a.module", "a.one", "a.two"]
    assert {it.path for it in found} == {"tests/deep/test_x.py"}


def test_what_the_manifest_lacks_is_listed_with_the_tests_that_cite_it():
    listed = dict(missing([area(promise())], [citation(), citation("stops.new"), citation("stops.new")]))
    assert {name: len(places) for name, places in listed.items()} == {"stops.new": 2}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("title = ", id="no TOML"),
        pytest.param('title = "T"\norder = 1\n', id="no entries"),
        pytest.param('title = "T"\norder = 1\n[[promise]]\nid = "a.b"\n', id="an entry without its sentence"),
        pytest.param(
            'title = "T"\norder = 1\n[[promise]]\nid = "a.b"\npromise = "P"\nsource = "S"\ntests = "x"\n',
            id="a strange key",
        ),
        pytest.param(
            'title = "T"\norder = 1\n[[promise]]\nid = "a.b"\npromise = ""\nsource = "S"\n', id="an empty sentence"
        ),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, text: str):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ManifestError, match=r"a\.toml"):
        load(tmp_path)


def test_the_overview_counts_what_is_kept():
    rows = overview([area(promise(), promise("stops.later", reason="not built"))]).splitlines()
    assert "| Stops | 1 | 1 |" in rows
    assert "| **all promises** | **1** | **1** |" in rows


def test_the_page_names_proofs_and_reasons():
    text = page([area(promise(), promise("stops.later", reason="not | built"))], [citation()])
    assert "kept: [test_stops](../tests/test_stops.py)" in text
    assert "**not yet**: not \\| built" in text


def test_only_what_stands_between_the_markers_is_replaced():
    assert between("a\n<!-- t -->\nold\n<!-- /t -->\nz\n", "t", "new") == "a\n<!-- t -->\nnew\n<!-- /t -->\nz\n"
    with pytest.raises(ValueError, match="lacks"):
        between("nothing here", "t", "new")
