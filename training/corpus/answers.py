"""The base model's own answers to plain prompts, as `training.ask` wrote them: what the adapter must not unlearn."""

import gzip
import json
from pathlib import Path

from training.corpus.chat import Kind
from training.corpus.examples import Answers


def read(path: Path) -> Answers:
    """The answers of a file."""
    found: dict[Kind, list[tuple[str, str, bool]]] = {"small": [], "plain": []}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            found[row["kind"]].append((row["prompt"], row["answer"], row["ended"]))
    return found
