"""The pages about clients, taken apart: their programs, what they are said to print, and with what they were tried."""

import ast
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.arch.tree import ROOT

FOLDER: Final = ROOT / "docs" / "clients"
INDEX: Final = FOLDER / "README.md"
SCRIPT: Final = FOLDER / "script.toml"
ADDRESS: Final = "http://127.0.0.1:8484"
"""Where the pages' programs find the server."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"(?:#|//) (\S+\.\w+)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page. `file`: the name that a program is to be saved under, which its first line says."""

    page: str
    kind: str
    text: str

    @property
    def file(self) -> str:
        named = _FILE.match(self.text)
        assert named is not None, f"{self.page}.md: the first line of a program names its file"
        return named[1]


def pages() -> list[Path]:
    """The page of each client."""
    return [page for page in sorted(FOLDER.glob("*.md")) if page != INDEX]


def blocks(*kinds: str) -> list[Block]:
    """The blocks of these kinds on all pages."""
    return [
        Block(page.stem, kind, text)
        for page in pages()
        for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8"))
        if kind in kinds
    ]


def runs_here(program: Block) -> bool:
    """Whether all that a Python program imports is in the environment of the tests."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(program.text)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module.split(".")[0])
    return all(find_spec(name) is not None for name in names)
