"""Links in the documentation lead somewhere, and the README keeps what it promises to hold."""

import re
from pathlib import Path

from tests.arch.tree import ROOT, files

LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]*))?\)")


def pages() -> list[Path]:
    return [path for path in files() if path.suffix == ".md" and "tests" not in path.relative_to(ROOT).parts]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made by the usual renderers."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_a_heading():
    broken: list[str] = []
    for page in pages():
        for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
            there = (page.parent / target).resolve() if target else page
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{page.relative_to(ROOT)}: {target}#{anchor}")
    assert broken == []


def test_every_page_is_reached_from_the_index():
    indexes = [page for page in pages() if page.name == "README.md" and (ROOT / "docs") in page.parents]
    listed = {
        (index.parent / target).resolve()
        for index in indexes
        for target, _ in LINK.findall(index.read_text(encoding="utf-8"))
    }
    assert [page for page in pages() if (ROOT / "docs") in page.parents and page not in listed] == [
        ROOT / "docs" / "README.md"
    ]


def test_the_readme_says_how_to_start_and_who_stands_behind_it():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make serve" in readme
    assert "independent of the API's vendor" in readme
