"""Patterns with look-ahead hold in every family, on tools that are not strict."""

import pytest

from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.tools import Call, Choice, Tool
from antiphon.render.families import FAMILIES
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.reply import reply_grammar
from antiphon.render.prompt.calls import write_calls
from tests.render.walk import accepts


@pytest.mark.promise("tools.look-ahead")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize(
    ("pattern", "fine", "wrong"),
    [
        (r"^(?!\s*$).+", [" x", "x"], ["", "  "]),
        ("^(?=.*[0-9])(?=.*[a-z])[a-z0-9]{3,}$", ["ab1", "1a1"], ["abc", "123", "a1"]),
        ("^(?!-)[a-z-]+$", ["a-", "a"], ["-a"]),
        (r"^(?!.*\.\.)[a-z.]+$", ["a.b", "."], ["a..b"]),
        ("^(?!(?:con|nul)$)[a-z]+$", ["cons", "co"], ["con", "nul"]),
        ("^(?=.{1,4}$)[a-z]+$", ["abcd"], ["abcde"]),
    ],
)
def test_look_ahead_is_kept_to(family: Family, pattern: str, fine: list[str], wrong: list[str]) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}, "required": ["a"]}
    tool = Tool("note", "", schema)
    turn = Turn("user", (Text("a"),))
    made = reply_grammar(family, Conversation((), (turn,), None, (tool,), Choice("any")), {})
    assert made is not None

    def written(value: str) -> str:
        return write_calls(family.syntax, [Call("call", "note", {"a": value})], [tool])

    assert all(accepts(made, written(value)) for value in fine)
    assert not any(accepts(made, written(value)) for value in wrong)
