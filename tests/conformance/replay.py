"""A right server's answers, remembered, so that a run over them takes no server and little time."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from antiphon.conformance.asking import Answer, Asked, Transport


def key(asked: Asked) -> tuple[str, str, str, bytes]:
    """What tells requests apart."""
    return asked.method, asked.path, repr(sorted(asked.headers.items())), asked.body


@dataclass
class Remembering:
    """Asks a server, and remembers. `answers`: by request, the first and the last."""

    server: Transport
    answers: dict[object, list[Answer]] = field(default_factory=dict[object, list[Answer]])

    def __call__(self, asked: Asked) -> Answer:
        """The server's answer."""
        answer = self.server(asked)
        unfinished = asked.method == "GET" and b'"in_progress"' in answer.body and "batches/" in asked.path
        if not unfinished:
            self.answers.setdefault(key(asked), []).append(answer)
        return answer


Change = Callable[[Asked, Answer], Answer]


@dataclass
class Replay:
    """Answers as a server did, with a change. What was deleted is gone. `asked`: what was asked."""

    answers: dict[object, list[Answer]]
    change: Change = lambda _, answer: answer
    asked: list[Asked] = field(default_factory=list[Asked])
    gone: set[str] = field(default_factory=set[str])

    def __call__(self, asked: Asked) -> Answer:
        """The answer of then, changed."""
        self.asked.append(asked)
        found = self.answers.get(key(asked))
        if found is None:
            # A changed answer has led to a request that nobody has made then.
            return Answer(404, {"content-type": "application/json"}, b'{"type":"error","error":{"type":"unheard"}}')
        answer = found[-1] if asked.path in self.gone else found[0]
        if asked.method == "DELETE":
            self.gone.add(asked.path)
        return self.change(asked, answer)


def body_of(asked: Asked) -> dict[str, Any]:
    """A request's body as JSON; empty where it is none."""
    try:
        value = json.loads(asked.body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
