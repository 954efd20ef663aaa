"""Tools from a Python file."""

from pathlib import Path

import pytest

from antiphon.chat.problems import ChatError
from antiphon.chat.tools.functions import tools_from

DECORATED = '''
from anthropic import beta_tool

@beta_tool
def chosen(city: str) -> str:
    """The weather.

    Args:
        city: Which city.
    """
    return f"{city}: sunny"

def helps() -> str:
    """Not a tool."""
    return ""
'''
PLAIN = '''
from __future__ import annotations
from os.path import join

def one(a: int = 1) -> str:
    """The first."""
    return str(a)

def _none() -> str:
    return ""
'''


def made(tmp_path: Path, text: str) -> Path:
    (tmp_path / "mine.py").write_text(text)
    return tmp_path / "mine.py"


@pytest.mark.promise("cli.chat")
def test_what_is_decorated_is_a_tool_and_else_every_function(tmp_path: Path) -> None:
    [chosen] = tools_from(made(tmp_path, DECORATED))
    assert chosen.call({"city": "Rome"}) == "Rome: sunny"
    assert chosen.to_dict()["input_schema"]["properties"]["city"]["description"] == "Which city."
    [one] = tools_from(made(tmp_path, PLAIN))
    assert (one.name, one.call({})) == ("one", "1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module_at_all", "mine.py, line 1: ModuleNotFoundError"),
        ("def f(:", "SyntaxError"),
        ("x = 1", "there is no function in it"),
        ("def f(a: int) -> str:\n    return ''", "f has no docstring"),
        ("async def f() -> str:\n    '''It.'''\n    return ''", "f is asynchronous"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ChatError, match=said):
        tools_from(made(tmp_path, text))
