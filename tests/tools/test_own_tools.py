"""An owner's own tools, found by their entry points."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from antiphon.ports.server_tools import ServerCall, ServerResult, ServerTool, ToolProblem
from antiphon.tools.own import ToolsError, check_apart, own_tools
from tests.arch.tree import ROOT
from tests.tools.own_package import DICE, installed


@pytest.mark.promise("web-tools.own-tools")
async def test_a_tool_in_a_file_of_ones_own_is_found_made_of_its_table_and_run(tmp_path: Path):
    with installed(tmp_path, {"my_dice": DICE}, {"dice": "my_dice:Dice"}):
        [dice] = own_tools({"dice": {"sides": 1}})
    told = dice.told({})
    jsonschema.validate({"count": 3}, dict(told.schema))
    assert "1 sides" in told.description
    result = await dice.run(ServerCall("srvtoolu_1", "dice", {"count": 3}))
    assert isinstance(result, ServerResult)
    assert result.content == {"type": "dice_result", "rolls": [1, 1, 1]}
    with pytest.raises(ToolProblem) as caught:
        await dice.run(ServerCall("srvtoolu_2", "dice", {"count": "three"}))
    assert caught.value.code == "invalid_tool_input"
    await dice.aclose()


OWN_SEARCH = """\
class Search:
    name = "web_search"
    types = ("web_search_",)
    result_type = "web_search_tool_result"
    error_type = "web_search_tool_result_error"
    told = run = aclose = lambda *_: None
"""


def test_a_search_of_ones_own_stands_for_the_apis(tmp_path: Path):
    source = f"{OWN_SEARCH}\n\ndef make(table):\n    return Search()\n"
    with installed(tmp_path, {"my_search": source}, {"mine": "my_search:make"}):
        assert [tool.name for tool in own_tools({"mine": {}})] == ["web_search"]


@pytest.mark.promise("web-tools.own-tools")
def test_the_example_of_the_documentation_is_the_one_that_is_tested():
    page = (ROOT / "docs" / "server-tools-port.md").read_text(encoding="utf-8")
    assert f"```python\n{DICE}```" in page


def test_a_package_that_is_installed_and_not_configured_offers_nothing(tmp_path: Path):
    with installed(tmp_path, {"my_dice": "raise AssertionError"}, {"dice": "my_dice:Dice"}):
        assert own_tools({}) == []


GOOD = "name='t'; types=('t_',); result_type='t_tool_result'; error_type='e'; told=run=aclose=lambda *_: None"
BROKEN: dict[str, tuple[str, str]] = {
    "no such factory": ("x = 1", "AttributeError"),
    "a factory that fails": ("def make(table): raise ValueError('no sides')", "ValueError: no sides"),
    "a module that fails": ("1 / 0", "ZeroDivisionError"),
    "nothing made": ("def make(table): return None", "name must be a text"),
    "no name": (f"class make:\n def __init__(self, table): pass\n {GOOD}; name=''", "name must be a text"),
    "a wrong name": (f"class make:\n def __init__(self, table): pass\n {GOOD}; name='a b'", "name must be 1 to 64"),
    "a text for types": (
        f"class make:\n def __init__(self, table): pass\n {GOOD}; types='t_'",
        "types must be a tuple",
    ),
    "no types": (f"class make:\n def __init__(self, table): pass\n {GOOD}; types=()", "types must be a tuple"),
    "a type of the API's": (
        f"class make:\n def __init__(self, table): pass\n {GOOD}; types=('t_', 'bash')",
        "types must not have bash, which the API's bash_20241022 begins with",
    ),
    "a block of the API's": (
        f"class make:\n def __init__(self, table): pass\n {GOOD}; result_type='text'",
        "result_type must not be text",
    ),
    "a name of the API's": (
        f"class make:\n def __init__(self, table): pass\n {GOOD}; name='code_execution'",
        "name must not be code_execution",
    ),
    "a search that answers otherwise": (
        f"class make:\n def __init__(self, table): pass\n {GOOD}; name='web_search'",
        "types, result_type and error_type of a web_search must be the API's",
    ),
    "no run": (f"class make:\n def __init__(self, table): pass\n {GOOD}; run=None", "it lacks run"),
}


@pytest.mark.promise("web-tools.own-tools")
@pytest.mark.parametrize("name", BROKEN)
def test_a_tool_that_cannot_be_made_says_which_and_why(tmp_path: Path, name: str):
    source, why = BROKEN[name]
    with (
        installed(tmp_path, {"my_broken": source}, {"broken": "my_broken:make"}),
        pytest.raises(ToolsError, match=r"\[server_tools\.broken\]: my_broken:make") as caught,
    ):
        own_tools({"broken": {}})
    assert why in str(caught.value)


def test_a_table_that_no_package_knows_names_those_that_are_there(tmp_path: Path):
    with (
        installed(tmp_path, {"my_dice": DICE}, {"dice": "my_dice:Dice"}),
        pytest.raises(
            ToolsError, match=r"\[server_tools\.dise\].*web_search, web_fetch, dice.*antiphon\.server_tools"
        ),
    ):
        own_tools({"dise": {}})


class Named:
    """A tool that has no more than its names."""

    result_type = "x"
    error_type = "x"

    def __init__(self, name: str, *types: str) -> None:
        self.name = name
        self.types: tuple[str, ...] = types

    def told(self, settings: Any) -> Any:
        """Nothing."""

    async def run(self, call: Any) -> Any:
        """Nothing."""

    async def aclose(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        (Named("a", "a_"), Named("a", "b_"), "two server tools are called a"),
        (Named("a", "a_"), Named("b", "a_2026"), "both answer for types like a_2026"),
        (Named("a", "x_", "a_2026"), Named("b", "a_"), "both answer for types like a_"),
    ],
)
def test_two_tools_for_one_name_or_type_are_refused(one: ServerTool, two: ServerTool, why: str):
    with pytest.raises(ToolsError, match=why):
        check_apart([one, two])
    check_apart([one, Named("c", "c_")])
