"""What goes wrong in a chat, in words for the person in front of it."""

import json
import logging
from typing import Any, cast

import anthropic

from antiphon.words import unreached

Json = dict[str, Any]


class ChatError(Exception):
    """Something that was asked of the chat cannot be done. The text says what and why."""


def quiet() -> None:
    """Keep the SDK's own log off the screen: what it has to say is said by the chat."""
    for name in ("anthropic", "mcp", "httpx2", "client"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False


def in_words(problem: anthropic.AnthropicError, url: str) -> str:
    """A failed request in one line: the API's own type and words, or what keeps the server from being reached."""
    if isinstance(problem, anthropic.APITimeoutError):
        return f"{url} does not answer"
    if isinstance(problem, anthropic.APIStatusError):
        error = error_of(problem)["error"]
        return f"{error['type']}: {error['message']}"
    if isinstance(problem, anthropic.APIConnectionError):
        return unreached(url, problem)
    return str(problem) or type(problem).__name__


def error_of(problem: anthropic.AnthropicError) -> Json:
    """The error as the API's body has it; made up from the status where the body is another."""
    body = problem.body if isinstance(problem, anthropic.APIError) else None
    if isinstance(body, dict):
        error = cast("Json", body).get("error")
        if isinstance(error, dict):
            found = cast("Json", error)
            kind, message = str(found.get("type", "api_error")), str(found.get("message", ""))
            return {"type": "error", "error": {**found, "type": kind, "message": message}}
    if isinstance(problem, anthropic.APIStatusError):
        message = f"status {problem.status_code}, and no error of the Messages API"
    else:
        message = str(problem)
    return {"type": "error", "error": {"type": "api_error", "message": message}}


def error_line(problem: anthropic.AnthropicError) -> str:
    """The error as a line of JSON."""
    return json.dumps(error_of(problem), ensure_ascii=False)
