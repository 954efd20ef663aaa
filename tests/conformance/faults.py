"""Faults that are planted in a right server's answers, and the checks that each must make fail."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from antiphon.conformance.api import MESSAGES
from antiphon.conformance.asking import Answer, Asked
from tests.conformance.replay import Change, body_of

Edit = Callable[[dict[str, Any], dict[str, Any]], object]
"""Changes an answer's JSON in place, seeing the request's."""
Events = list[dict[str, Any]]


@dataclass(frozen=True)
class Fault:
    """A fault in words, and the change that plants it."""

    name: str
    change: Change


def edited(answer: Answer, edit: Edit, request: dict[str, Any]) -> Answer:
    """The answer with its JSON changed; what the edit gives stands for all of it, where that is an object or a list."""
    value = json.loads(answer.body)
    made = edit(value, request)
    return replace(answer, body=json.dumps(made if isinstance(made, dict | list) else value).encode())


def whole(name: str, edit: Edit) -> Fault:
    """Of replies in one piece."""

    def change(asked: Asked, answer: Answer) -> Answer:
        is_reply = asked.path.partition("?")[0] == MESSAGES and answer.status == 200 and answer.body.startswith(b"{")
        return edited(answer, edit, body_of(asked)) if is_reply else answer

    return Fault(f"a reply {name}", change)


def block(name: str, kind: str, edit: Callable[[dict[str, Any]], object]) -> Fault:
    """Of the blocks of one kind in replies in one piece."""

    def change(message: dict[str, Any], _: dict[str, Any]) -> None:
        for each in message["content"]:
            if each["type"] == kind:
                edit(each)

    return whole(f"whose {kind} {name}", change)


def stream(name: str, edit: Callable[[Events, dict[str, Any]], Events | None]) -> Fault:
    """Of streams: a list of the events' data; each is named by its key `name`, where it has one, else by its type."""

    def change(asked: Asked, answer: Answer) -> Answer:
        if "event-stream" not in answer.headers.get("content-type", ""):
            return answer
        events: Events = [
            json.loads(line.removeprefix("data: "))
            for line in answer.body.decode().split("\n")
            if line.startswith("data")
        ]
        made = edit(events, body_of(asked))
        frames = [
            (each.pop("name", each.get("type")), json.dumps(each)) for each in (events if made is None else made)
        ]
        return replace(answer, body="".join(f"event: {kind}\ndata: {data}\n\n" for kind, data in frames).encode())

    return Fault(f"a stream {name}", change)


def each(kind: str, edit: Callable[[dict[str, Any]], object]) -> Callable[[Events, dict[str, Any]], None]:
    """Changes every event of a kind."""

    def change(events: Events, _: dict[str, Any]) -> None:
        for event in events:
            if event["type"] == kind:
                edit(event)

    return change


def without(*kinds: str) -> Callable[[Events, dict[str, Any]], Events]:
    """Leaves events out."""
    return lambda events, _: [event for event in events if event["type"] not in kinds]


def failing(name: str, edit: Callable[[dict[str, Any]], object]) -> Fault:
    """Of errors."""

    def change(asked: Asked, answer: Answer) -> Answer:
        return edited(answer, lambda value, _: edit(value), {}) if answer.status >= 400 and answer.body else answer

    return Fault(f"an error {name}", change)


def header(name: str, change: Callable[[Asked, Answer], dict[str, str]]) -> Fault:
    """Of an answer's headers."""
    return Fault(name, lambda asked, answer: replace(answer, headers={**answer.headers, **change(asked, answer)}))


def at(name: str, start: str, edit: Edit, *, method: str = "", status: int = 200) -> Fault:
    """Of the answers below a path."""

    def change(asked: Asked, answer: Answer) -> Answer:
        here = asked.path.startswith(start) and asked.method == (method or asked.method) and answer.status == status
        return edited(answer, edit, body_of(asked)) if here and not asked.path.endswith("/results") else answer

    return Fault(name, change)


def answered(name: str, where: Callable[[Asked, Answer], bool], status: int, body: Any = None) -> Fault:
    """Some requests are answered with another status."""
    said = json.dumps(body or {"type": "error", "error": {"type": "api_error", "message": "No."}}).encode()
    plain = {"content-type": "application/json", "request-id": "req_fault"}
    return Fault(name, lambda asked, answer: Answer(status, plain, said) if where(asked, answer) else answer)


def asks(**wanted: Any) -> Callable[[Asked, Answer], bool]:
    """Requests that have these values."""
    return lambda asked, answer: all(body_of(asked).get(name) == value for name, value in wanted.items())


def items(name: str, value: Any) -> Edit:
    """Every item of a page has this value."""

    def change(page: dict[str, Any], _: dict[str, Any]) -> None:
        for item in page.get("data", ()):
            item[name] = value

    return change


def put(*path: str, value: Any) -> Callable[..., None]:
    """Sets what stands at a path, where there is something to set it in."""

    def change(target: Any, *_: Any) -> None:
        found = inside(target, path[:-1])
        if found is not None:
            found[path[-1]] = value

    return change


def drop(*path: str) -> Callable[..., None]:
    """Takes away what stands at a path."""

    def change(target: Any, *_: Any) -> None:
        found = inside(target, path[:-1])
        if found is not None:
            found.pop(path[-1], None)

    return change


def inside(target: Any, path: tuple[str, ...]) -> dict[str, Any] | None:
    """The object that stands at a path; None where there is none."""
    for step in path:
        target = target.get(step)
        if target is None:
            return None
    return target
