"""Counting tokens ahead: the number that the same request would be charged."""

from typing import Any, Final

from antiphon.conformance.api import MESSAGES, Api, well
from antiphon.conformance.check import LEFT_OUT, Subject, Trial, count_of, dictionary, expect
from antiphon.conformance.subjects.errors import refusal
from antiphon.conformance.subjects.messages import tokens
from antiphon.conformance.subjects.words import PROBE, user

SUBJECT: Final = Subject("count_tokens", "Token counting", needs="count_tokens")
check = SUBJECT.check
_SLACK: Final = 16
PATH: Final = f"{MESSAGES}/count_tokens"


@check("number", "The tokens of a request are counted.")
def _(api: Api) -> None:
    count_of(api.counted(), "input_tokens", 1)


@check("no-reply", "What is counted is not answered.")
def _(api: Api) -> None:
    found = set(counting(api)) & {"content", "id", "stop_reason", "usage"}
    expect(not found, f"there is {sorted(found)}")


@check("as-charged", "The same request is charged about what was counted.")
def _(api: Api) -> None:
    about(api.counted(), tokens(api.said()))


@check("as-charged-system", "A request with a system prompt is charged about what was counted.")
def _(api: Api) -> None:
    about(api.counted({"system": "Be brief."}), tokens(api.said({"system": "Be brief."})))


@check("as-charged-tools", "A request with tools is charged about what was counted.")
def _(api: Api) -> None:
    about(api.counted({"tools": [PROBE]}), tokens(api.said({"tools": [PROBE]})))


@check("longer", "A longer text has more tokens.")
def _(api: Api) -> None:
    expect(api.counted() < api.counted(user("Say hello. " * 20)), "it has not")


@check("tools", "Tools have tokens.")
def _(api: Api) -> None:
    expect(api.counted() < api.counted({"tools": [PROBE]}), "they have none")


@check("repeats", "The same request has the same tokens.")
def _(api: Api) -> None:
    first, second = (well(api.ask("POST", PATH, asked(api)))["input_tokens"] for _ in range(2))
    expect(first == second, f"{first} tokens, and then {second}")


_WRONG: Final[tuple[tuple[str, str, dict[str, Any], int], ...]] = (
    ("no-messages", "A request without messages is not counted.", {"messages": LEFT_OUT}, 400),
    ("no-model", "A request without a model is not counted.", {"model": LEFT_OUT}, 400),
    (
        "role",
        "A request with an unknown role is not counted.",
        {"messages": [{"role": "robot", "content": "Hi"}]},
        400,
    ),
    ("extra", "A request with an unknown key is not counted.", {"no_such_key": 1}, 400),
    (
        "unknown-model",
        "A request for a model that there is not is not counted.",
        {"model": "no-such-model-1999"},
        404,
    ),
)


def _refuses(changes: dict[str, Any], status: int) -> Trial:
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    return lambda api: refusal(api.look("POST", PATH, asked(api, changes)), status, kind)


for _name, _sentence, _changes, _status in _WRONG:
    SUBJECT.add(f"refused-{_name}", _sentence, _refuses(_changes, _status))


def about(counted: int, charged: int) -> None:
    """A count is an estimate, by the documents' own words: a small part of it may be otherwise."""
    near = abs(counted - charged) <= max(_SLACK, charged // 10)
    expect(near, f"{counted} were counted, {charged} charged")


def asked(api: Api, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body of a request that is to be counted."""
    return api.request({"max_tokens": LEFT_OUT, **(changes or {})})


def counting(api: Api) -> dict[str, Any]:
    """What the count comes to."""
    return dictionary(well(api.look("POST", PATH, asked(api))))
