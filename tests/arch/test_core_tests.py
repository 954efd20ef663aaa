"""Every module of the core has tests, and it can be said which: a file of its own, or one that is named here.

A file of tests touches a module in one of three ways: it imports the module, or a helper of the tests that does; it
imports the module's neighbour, where nobody but neighbours uses the module; or it holds a text of the module that no
other module of the core has.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.arch.core_tests import COVERED, SAID
from tests.arch.tree import ROOT, SOURCE

CORE = (
    *("errors", "ids", "config", "profiles", "dialogue", "wire", "schema", "ports", "seals", "request", "render"),
    "stream",
)
LEAST_TEXT = 6
"""Characters; shorter texts are everywhere."""


def modules() -> list[str]:
    """The modules of the core that hold more than imports and a docstring: `request/rules/roles`."""
    found: list[str] = []
    for top in CORE:
        paths = sorted((SOURCE / top).rglob("*.py")) or [SOURCE / f"{top}.py"]
        found += [path.relative_to(SOURCE).with_suffix("").as_posix() for path in paths if path.stem != "__init__"]
    return found


def mirror(module: str) -> str:
    """Where the tests of a module are that has a file of its own."""
    folder, _, name = module.rpartition("/")
    return "/".join(part for part in ("tests", folder, f"test_{name}.py") if part)


def dotted(path: Path) -> str:
    """The name by which a file is imported."""
    inside = path.relative_to(SOURCE.parent if SOURCE in path.parents else ROOT).with_suffix("")
    return ".".join(inside.parts).removesuffix(".__init__")


@cache
def named(path: Path) -> frozenset[str]:
    """The modules, and names in modules, that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


@cache
def imports(path: Path) -> frozenset[str]:
    """The same, and the modules that packages hand on some of these from."""
    return named(path) | {handed_on()[name] for name in named(path) & handed_on().keys()}


@cache
def handed_on() -> dict[str, str]:
    """What packages import, to be imported from them → the module that it comes from."""
    found: dict[str, str] = {}
    for path in SOURCE.rglob("__init__.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {f"{dotted(path)}.{alias.name}": node.module for alias in node.names}
    return found


def with_helpers(test: Path) -> Iterator[Path]:
    """A file of tests, and the modules of the tests that it imports."""
    yield test
    for name in imports(test):
        path = ROOT / f"{name.replace('.', '/')}.py"
        if name.startswith("tests.") and path.exists():
            yield path


@cache
def neighbours(module: str) -> frozenset[str]:
    """The modules beside this one that import it, and those that import these; none where others import it, too."""
    wanted, found = {f"antiphon.{module.replace('/', '.')}"}, set[str]()
    folder = (SOURCE / module).parent
    while wanted:
        users = [path for path in SOURCE.rglob("*.py") if wanted & named(path) and path.stem != "__init__"]
        if not found and any(path.parent != folder for path in users):
            return frozenset()
        wanted = {dotted(path) for path in users if path.parent == folder} - found
        found |= wanted
    return frozenset(found)


@cache
def texts(module: str) -> frozenset[str]:
    """The texts in a module's code."""
    tree = ast.parse((SOURCE / f"{module}.py").read_text(encoding="utf-8"))
    comments = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in comments)
    return frozenset(node.value for node in constants if isinstance(node.value, str))


def is_said_by(module: str, test: Path) -> bool:
    """Whether the text that is named for the module is its own alone, and stands in the test or its golden files."""
    text = SAID.get(module, "")
    owners = [each for each in modules() if any(text in one for one in texts(each))]
    if len(text) < LEAST_TEXT or owners != [module]:
        return False
    golden = (path for path in test.parent.rglob("*") if path.suffix in (".txt", ".json"))
    return any(text in path.read_text(encoding="utf-8") for path in (*with_helpers(test), *golden))


def touches(test: Path, module: str) -> bool:
    """Whether a file of tests has to do with the module."""
    name = f"antiphon.{module.replace('/', '.')}"
    imported = frozenset[str]().union(*map(imports, with_helpers(test)))
    return name in imported or bool(neighbours(module) & imported) or is_said_by(module, test)


@pytest.mark.parametrize("module", modules())
def test_a_module_of_the_core_has_tests_that_touch_it(module: str) -> None:
    test = ROOT / (mirror(module) if (ROOT / mirror(module)).exists() else COVERED.get(module, "none"))
    assert test.is_file(), (
        f"write {mirror(module)}, or name the file that covers {module} in tests/arch/core_tests.py"
    )
    assert touches(test, module), f"{test.relative_to(ROOT)} never touches {module}"


def test_nothing_is_named_that_is_gone() -> None:
    assert set(COVERED) - set(modules()) == set()
    assert set(SAID) - set(modules()) == set()


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("render/reading/stops", "tests/stream/test_encoder.py"),
        ("request/rules/roles", "tests/stream/test_encoder.py"),
        ("schema/disjoint", "tests/render/reading/test_stops.py"),
        ("ids", "tests/wire/test_headers.py"),
    ],
)
def test_an_empty_promise_is_noticed(module: str, test: str) -> None:
    assert not touches(ROOT / test, module)


def test_a_text_that_two_modules_have_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAID, "request/rules/roles", "assistant")
    assert not is_said_by("request/rules/roles", ROOT / "tests/request/rules/test_conversation.py")
