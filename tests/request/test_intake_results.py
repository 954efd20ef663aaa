"""Results of tools that the API does not take as they are, in its own words.

Source: public reports that quote the API's answers; API reference, Search results. What nobody has quoted (hits
beside other blocks) is worded after them.
"""

from typing import Any

import pytest

from tests.wire.requests import LEAVE_OUT, accepted, body, holding, refused
from tests.wire.samples import BLOCKS

Table = list[tuple[str, dict[str, Any], str]]

CALL: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "a", "input": {}}
EMPTY_ERROR = "messages.2.content.0.tool_result: content cannot be empty if `is_error` is true"
NO_TEXT_ERROR = "messages.2.content.0.tool_result: all content must be type `text` if `is_error` is true"
HITS_ALONE = "messages.2.content.0.tool_result: all content must be type `search_result` if one block is"
SAID: dict[str, Any] = {"type": "text", "text": "no"}


def answered(content: Any, **more: Any) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **more}
    result = {key: value for key, value in result.items() if value is not LEAVE_OUT}
    return {"messages": [{"role": "user", "content": "Hello"}, *holding(CALL, role="assistant"), *holding(result)]}


NOTHING: dict[str, Any] = {"nothing": LEAVE_OUT, "an empty text": "", "no blocks": []}
ERRORS: Table = [
    *((f"an error of {name}", answered(content, is_error=True), EMPTY_ERROR) for name, content in NOTHING.items()),
    *(
        (f"an error with {name}", answered([SAID, BLOCKS[name]], is_error=True), NO_TEXT_ERROR)
        for name in ("image, base64", "document, text", "search_result")
    ),
    ("hits beside a text", answered([SAID, BLOCKS["search_result"]]), HITS_ALONE),
    ("hits beside an image", answered([BLOCKS["search_result"], BLOCKS["image, base64"]]), HITS_ALONE),
    (
        "a hit without words",
        {"messages": holding({**BLOCKS["search_result"], "content": []})},
        "messages.0.content.0.search_result.content: List should have at least 1 item after validation, not 0",
    ),
]


@pytest.mark.promise("tool-results.errors-are-text", "tool-results.hits-alone")
@pytest.mark.parametrize(("changes", "message"), [pytest.param(*row[1:], id=row[0]) for row in ERRORS])
def test_a_result_that_the_api_does_not_take_has_its_recorded_text(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == message


@pytest.mark.promise("tool-results.errors-are-text", "tool-results.hits-alone")
@pytest.mark.parametrize(
    "changes",
    [
        answered("no", is_error=True),
        answered([SAID, SAID], is_error=True),
        answered([], is_error=False),
        answered(LEAVE_OUT),
        answered([SAID, BLOCKS["image, base64"]]),
        answered([BLOCKS["search_result"], BLOCKS["search_result"]]),
    ],
)
def test_a_result_that_the_api_takes_is_accepted(changes: dict[str, Any]):
    accepted(body(**changes))
