"""Prints docs/compatibility.md and the table in README.md from the manifest of promises.

python scripts/compatibility.py [--check]
"""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from antiphon.request.accommodations import ACCOMMODATIONS
from generated import between, write_or_check
from manifest import ROOT, Area, Citation, Promise, cited, load

_INTRODUCTION = """\
# What is kept, and what is not yet

Each line is one promise of the API's documents, or of this project about itself. A promise counts as kept only
when a test cites it; the others say why they are not. This page is made from `contract/` by `make docs`.
"""

_CLIENTS = """\
## Clients that are met halfway

What a known client cannot do better is accepted from that client, which says its name in its user-agent header.
`accommodations = false` in the settings switches all of it off.
"""


def files(root: Path = ROOT) -> dict[Path, str]:
    """The generated files with the text that they should have."""
    areas = load(root / "contract")
    readme = root / "README.md"
    table = between(readme.read_text(encoding="utf-8"), "compatibility", overview(areas))
    return {root / "docs" / "compatibility.md": page(areas, cited(root / "tests")), readme: table}


def overview(areas: Sequence[Area]) -> str:
    """The short table: a row an area."""
    rows = ["| | kept | not yet |", "| --- | ---: | ---: |"]
    for area in areas:
        kept = _kept(area)
        rows.append(f"| {area.title} | {kept} | {len(area.promises) - kept or ''} |")
    kept, every = sum(map(_kept, areas)), sum(len(area.promises) for area in areas)
    return "\n".join([*rows, f"| **all promises** | **{kept}** | **{every - kept}** |"])


def page(areas: Sequence[Area], citations: Sequence[Citation]) -> str:
    """The long page: every promise, with the files that prove it or the reason why none does."""
    proofs: dict[str, set[str]] = defaultdict(set)
    for citation in citations:
        if citation.id is not None:
            proofs[citation.id].add(citation.path)
    sections = [_section(area, proofs) for area in areas]
    return "\n".join([_INTRODUCTION, overview(areas), "", _accommodations(), *sections])


def _accommodations() -> str:
    rows = [
        f"| {_cell(row.client)} before {'.'.join(map(str, row.before))} | {_cell(row.accepted)} | {_cell(row.why)} |"
        for row in ACCOMMODATIONS
    ]
    return "\n".join([_CLIENTS, "| client | accepted from it alone | why |", "| --- | --- | --- |", *rows, ""])


def _section(area: Area, proofs: Mapping[str, set[str]]) -> str:
    rows = [
        f"| {_cell(promise.promise)} | {_state(promise, proofs)} | {_cell(promise.source)} |"
        for promise in area.promises
    ]
    return "\n".join([f"## {area.title}", "", "| promise | state | source |", "| --- | --- | --- |", *rows, ""])


def _state(promise: Promise, proofs: Mapping[str, set[str]]) -> str:
    if promise.reason is not None:
        return f"**not yet**: {_cell(promise.reason)}"
    return "kept: " + ", ".join(f"[{Path(path).stem}](../{path})" for path in sorted(proofs[promise.id]))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _kept(area: Area) -> int:
    return sum(promise.reason is None for promise in area.promises)


if __name__ == "__main__":
    sys.exit(write_or_check(files(), sys.argv[1:]))
