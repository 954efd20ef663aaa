"""Two requests compared, section by section."""

from dataclasses import replace
from typing import Any, Final

import orjson

from antiphon.request.caching import Prefixes, prefixes
from antiphon.request.diagnosing import Fingerprint, Missed, fingerprint, missed
from antiphon.request.intake import parse_create
from tests.request.requests import asked, assistant, body, context, text, tool, user

Json = dict[str, Any]

LINE: Final = "x-anthropic-billing-header: cc_version=1; cch={};"


def said(*messages: Json, **more: Any) -> tuple[Fingerprint, Prefixes]:
    told: Json = {"tools": [tool("a")], "system": "Be brief.", **more}
    request = asked(parse_create(orjson.dumps(body(*messages, **told)), context()))
    row = prefixes(request)
    return fingerprint(request, row), row


def compared(before: tuple[Fingerprint, Prefixes], now: tuple[Fingerprint, Prefixes]) -> Missed | None:
    return missed(before[0], *now)


def test_marks_and_limits_are_not_compared() -> None:
    marked = said(user([text("Hi", cache_control={"type": "ephemeral"})]), max_tokens=7, cache_control=None)
    assert compared(said(user("Hi")), marked) is None
    assert compared(said(user("Hi"), stream=True), said(user("Hi"), temperature=0.5)) is None


def test_the_first_block_that_changed_is_named() -> None:
    before = said(user("Hi"), assistant("Ho"), user("More"))
    assert compared(before, said(user("Hi"), assistant("No"), user("More"))) == Missed(
        "messages_changed", "messages.1.content.0"
    )
    assert compared(before, said(user("Hi"))) == Missed("messages_changed", "")
    assert compared(before, said(user("Hi"), system=[])) == Missed("system_changed", "messages.0.content.0")
    assert compared(before, said(user("Hi"), tools=[tool("b")])) == Missed("tools_changed", "tools.0")


def test_an_accounting_line_is_no_change() -> None:
    one, two = ([text(LINE.format(nonce)), text("Be brief.")] for nonce in ("a", "b"))
    assert compared(said(system=one), said(system=two)) is None


def test_a_model_comes_first_and_then_the_settings() -> None:
    fingerprint_, row = said()
    other = replace(fingerprint_, model="other", settings=b"other")
    assert missed(other, fingerprint_, row) == Missed("model_changed", "tools.0")
    assert missed(replace(fingerprint_, settings=b"other", tools=b"x"), fingerprint_, row) == Missed("unavailable")
    assert missed(None, fingerprint_, row) == Missed("previous_message_not_found")
