"""What requests share at their beginning, as a text that is the same for them and another for others."""

from typing import Any

import pytest

from antiphon.request.batches.prefix import prefix_of

MARK = {"cache_control": {"type": "ephemeral"}}


def said(*texts: str, marked: int | None = None) -> dict[str, Any]:
    blocks = [{"type": "text", "text": text, **(MARK if n == marked else {})} for n, text in enumerate(texts)]
    return {"model": "m", "system": "s", "messages": [{"role": "user", "content": blocks}]}


@pytest.mark.promise("batches.together")
def test_requests_with_one_system_prompt_begin_alike_whatever_they_ask() -> None:
    assert prefix_of(said("one")) == prefix_of(said("two"))


@pytest.mark.promise("batches.together")
def test_a_mark_says_how_far_requests_are_compared() -> None:
    document = prefix_of(said("document", "one", marked=0))
    assert prefix_of(said("document", "two", marked=0)) == document
    assert prefix_of(said("another", "one", marked=0)) != document


@pytest.mark.parametrize("other", [{"model": "n"}, {"system": "t"}, {"tools": [{"name": "look"}]}])
def test_another_model_system_prompt_or_tool_is_another_beginning(other: dict[str, Any]) -> None:
    assert prefix_of({**said("one"), **other}) != prefix_of(said("one"))


@pytest.mark.parametrize("messages", [None, 1, "text", [1], [{"content": 1}], [{"content": [1]}], [{}]])
def test_what_is_no_request_has_a_beginning_too(messages: Any) -> None:
    assert prefix_of({"messages": messages}) == prefix_of({})


def test_what_cannot_be_written_again_is_passed_over() -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    assert prefix_of({"system": deep})
