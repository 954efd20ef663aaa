"""Thoughts as they go out and come back: a model that seals, and a reader that opens."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

from antiphon.request.case import Case, Issue
from antiphon.request.intake import parse_count, parse_create
from antiphon.request.ladder import check
from antiphon.request.sealed.thoughts import Thoughts, read
from antiphon.seals import Seals, Thought
from tests.request.requests import CATALOGUE, Json, assistant, context

WRITER = "writer"

SEALS = Seals([bytes(range(32))])

STRANGER = Seals([bytes(range(1, 33))])

_nonces = count(1)


def _thought(text: str, shown: str, model: str, tokens: int, prefix: bytes) -> tuple[Thought, bytes]:
    return Thought(text, model, tokens, shown, prefix), next(_nonces).to_bytes(12, "big")


def sealed(
    text: str = "Let me see.",
    *,
    shown: str | None = None,
    model: str = WRITER,
    tokens: int = 10,
    prefix: bytes = b"",
    seals: Seals = SEALS,
) -> Json:
    """A thinking block; `shown`: what the client is shown of the thought, by default all of it."""
    visible = text if shown is None else shown
    signature = seals.seal(*_thought(text, visible, model, tokens, prefix))
    return {"type": "thinking", "thinking": visible, "signature": signature}


def hidden(text: str = "Let me see.", *, model: str = WRITER, tokens: int = 10, prefix: bytes = b"") -> Json:
    """A redacted block."""
    return {"type": "redacted_thinking", "data": SEALS.seal_redacted(*_thought(text, "", model, tokens, prefix))}


def reading(request: Json, *betas: str, model: str = WRITER, foreign: Any = "refuse") -> Issue | Thoughts:
    """What is wrong with the request, thoughts included, or its thoughts."""
    headers = context(*betas)
    profile = CATALOGUE.resolve(request["model"])
    assert profile is not None
    parsed = (parse_create if "max_tokens" in request else parse_count)(orjson.dumps(request), headers)
    case = Case(parsed, profile, headers)
    return check(case) or read(case, SEALS, model, foreign=foreign)


def refusal(request: Json, *betas: str, **more: Any) -> str | None:
    """The message of the refusal, None where the thoughts are taken."""
    found = reading(request, *betas, **more)
    return found.message if isinstance(found, Issue) else None


def taken(request: Json, *betas: str, **more: Any) -> Thoughts:
    """The thoughts of a request that nothing is wrong with."""
    found = reading(request, *betas, **more)
    assert isinstance(found, Thoughts), found
    return found


def texts(thoughts: Thoughts) -> dict[str, str]:
    """The thoughts that the model is shown, by their paths."""
    return {f"messages.{n}.content.{m}": sealed.text for (n, m), sealed in thoughts.opened.items()}


@dataclass(frozen=True)
class Hidden:
    """A thought that is told in a redacted block."""

    text: str


def answered(request: Json, *parts: Json | str | Hidden, betas: tuple[str, ...] = (), model: str = WRITER) -> Json:
    """The request with a reply to it: a string is a thought, bound as the server binds it."""
    binding = taken(request, *betas, model=model).binding
    content: list[Json] = []
    for part in parts:
        block = part
        if isinstance(part, str):
            block = sealed(part, prefix=binding.prefix, model=model)
        elif isinstance(part, Hidden):
            block = hidden(part.text, prefix=binding.prefix, model=model)
        assert isinstance(block, dict)
        if block is not part:
            binding = binding.after(seal_of(block))
        content.append(block)
    return going_on(request, assistant(content))


def seal_of(block: Json) -> str:
    """What seals a thinking block, shown or redacted."""
    return block["signature"] if block["type"] == "thinking" else block["data"]


def going_on(request: Json, *messages: Json) -> Json:
    """The request with more messages."""
    return {**request, "messages": [*request["messages"], *messages]}
