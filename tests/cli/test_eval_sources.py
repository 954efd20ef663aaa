"""`antiphon eval sources`: right and wrong replies of a scripted model are told apart, on the whole way."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_eval import plain, rows, run

__all__ = ["plain"]  # a fixture for every test

DOCUMENT: dict[str, Any] = {
    "type": "document",
    "title": "Sounds",
    "source": {"type": "text", "media_type": "text/plain", "data": "Dogs bark. Cats purr."},
    "citations": {"enabled": True},
}
RESULTS: list[dict[str, Any]] = [
    {
        "type": "search_result",
        "source": f"kb/{number}",
        "title": "Notes",
        "content": [{"type": "text", "text": text}],
        "citations": {"enabled": True},
    }
    for number, text in enumerate(("Cows moo.", "Owls hoot."))
]
SEARCH = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
SCRIPT = """
[[reply]]
match = "right$"
text = '''They <cite document="1" at="2">purr</cite>.'''

[[reply]]
match = "elsewhere$"
text = '''They <cite document="1" at="1">purr</cite>.'''

[[reply]]
match = "uncited$"
text = "They purr."

[[reply]]
match = "result$"
text = '''They <cite search_result="2" at="1">hoot</cite>.'''

[[reply]]
prompt = "The weather forecast of a city"
text = '''<function_calls>
<invoke name="get_weather">
<parameter name="city">Rome</parameter>
</invoke>
</function_calls>'''

[[reply]]
match = "^weather$"
text = '''<function_calls>
<invoke name="tool_search_tool_bm25">
<parameter name="query">weather forecast of a city</parameter>
</invoke>
</function_calls>'''

[default]
text = "I do not know."
"""


def citing(name: str, sources: list[dict[str, Any]], source: int, text: str, says: str) -> dict[str, Any]:
    content = [*sources, {"type": "text", "text": name}]
    return {
        "id": name,
        "category": "citing",
        "request": {"messages": [{"role": "user", "content": content}]},
        "expect": {"cites": [{"source": source, "text": text}], "says": [says]},
    }


def finding(name: str) -> dict[str, Any]:
    return {
        "id": f"find {name}",
        "category": "finding",
        "deferred": 40,
        "request": {"tools": [SEARCH], "messages": [{"role": "user", "content": name}]},
        "expect": {"finds": "get_weather", "calls": "get_weather"},
    }


@pytest.fixture
def cases() -> str:
    made = [
        *(citing(name, [DOCUMENT], 0, "Cats purr.", "purr") for name in ("right", "elsewhere", "uncited")),
        citing("result", RESULTS, 1, "Owls hoot.", "hoot"),
        finding("weather"),
        finding("nothing"),
    ]
    Path("cases.jsonl").write_text("\n".join(map(json.dumps, made)))
    Path("replies.toml").write_text(SCRIPT)
    return "cases.jsonl"


@pytest.mark.promise("eval.sources")
def test_citing_and_finding_are_measured_and_what_went_wrong_is_shown(cases: str):
    arguments = ("--cases", cases, "--failures", "--json", "out.json")
    result = run("sources", "--model", "script:replies.toml", *arguments)
    assert result.exit_code == 0, result.stderr
    table = rows(result.stdout)
    assert table["Category"] == ["Cases", "Cites", "Place", "Answer", "Search", "Found", "Called"]
    assert table["citing"] == ["4", "75.0%", "50.0%", "100.0%", "–", "–", "–"]
    assert table["finding"] == ["2", "–", "–", "–", "50.0%", "50.0%", "50.0%"]
    assert (
        "\nelsewhere (citing), as it is: place\n"
        "  wanted to be said: 'purr'\n"
        "  wanted to be cited: 0: 'Cats purr.'\n"
        "  cited:  0: 'Dogs bark. '\n"
    ) in result.stdout
    assert (
        "\nfind nothing (finding), as it is: search, found, called\n"
        "  wanted: get_weather to be found, get_weather to be called\n"
        "  found:  nothing, in 0 searches\n"
        "  called: nothing\n"
    ) in result.stdout
    written = {case["id"]: case for case in json.loads(Path("out.json").read_text("utf-8"))["runs"][0]["cases"]}
    assert written["result"]["cites"] == [{"source": 1, "text": "Owls hoot."}]
    assert written["find weather"]["searches"] == 1
    assert "get_weather" in written["find weather"]["found"]
