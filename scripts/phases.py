"""Draws the phases of a reply in docs/project/architecture.md, from the encoder's own table.

python scripts/phases.py [--check]
"""

import sys
from collections import defaultdict
from pathlib import Path

from antiphon.stream.encoder import TRANSITIONS, Phase
from generated import between, write_or_check

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "project" / "architecture.md"


def drawing() -> str:
    """The phases as a Mermaid diagram: one arrow from phase to phase, with all that makes a reply take it."""
    arrows: dict[tuple[Phase, Phase], list[str]] = defaultdict(list)
    for (before, happening), after in TRANSITIONS.items():
        arrows[before, after].append(happening.__name__)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {phase.name}: {phase.name} ({phase.value})" for phase in Phase]
    lines += [f"    [*] --> {Phase.READY.name}"]
    lines += [f"    {before.name} --> {after.name}: {', '.join(names)}" for (before, after), names in arrows.items()]
    return "\n".join([*lines, f"    {Phase.OVER.name} --> [*]", "```"])


def page() -> str:
    """The text of the page, with the drawing that it should have."""
    return between(PAGE.read_text(encoding="utf-8"), "phases", drawing())


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: page()}, sys.argv[1:]))
