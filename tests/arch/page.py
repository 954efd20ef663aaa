"""The page about the architecture, taken apart: its sections, its tables, its code, and the names in it."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache

from tests.arch.tree import ROOT, SOURCE

PAGE = ROOT / "docs" / "project" / "architecture.md"

_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_DEFINED_IN = re.compile(r"`([\w/]+\.py)` \(((?:`[\w.]+`(?:, )?)+)\)")


def text() -> str:
    """The page without its blocks of code."""
    return _BLOCK.sub("", PAGE.read_text(encoding="utf-8"))


def code() -> list[str]:
    """The Python of the page, block by block."""
    return [block for kind, block in _BLOCK.findall(PAGE.read_text(encoding="utf-8")) if kind == "python"]


def section(title: str) -> str:
    """What stands under a heading of the second level."""
    [found] = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text(), re.MULTILINE | re.DOTALL)
    return found


def rows(part: str) -> list[list[str]]:
    """The cells of the tables' rows, headings and rules left out."""
    lines = [line for line in part.splitlines() if line.startswith("|") and not set(line) <= set("|-: ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def names(part: str) -> list[str]:
    """What is set as code, line breaks and bars as they are meant."""
    return [name.replace("\\|", "|").replace("⏎", "\n") for name in _CODE.findall(part)]


def placed(part: str) -> Iterator[tuple[str, str]]:
    """Each name that is said to be in a module, with the module's path."""
    for path, inside in _DEFINED_IN.findall(part):
        for name in _CODE.findall(inside):
            yield path, name


@cache
def defined() -> Mapping[str, frozenset[str]]:
    """What each module of the source defines: `NAME`, and `CLASS.MEMBER`."""
    return {
        path.relative_to(SOURCE).as_posix(): frozenset(_defined(ast.parse(path.read_text(encoding="utf-8"))))
        for path in SOURCE.rglob("*.py")
    }


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        for name in _named(node):
            yield name
            if isinstance(node, ast.ClassDef):
                yield from (f"{name}.{member}" for inner in node.body for member in _named(inner))


def _named(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _:
            pass


def unknown(name: str) -> bool:
    """Whether the source holds neither a path nor a definition of this name. A file's name alone is one of several."""
    if "/" in name or (ROOT / name).exists() or (SOURCE / name).exists():
        return not any((root / name).exists() for root in (SOURCE, ROOT))
    if name.endswith(".py"):
        return not any(path.endswith(f"/{name}") for path in defined())
    return not any(name in found for found in defined().values())
